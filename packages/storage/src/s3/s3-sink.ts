import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type ByteSink, OptionsError, SourceError } from "@ingest-ts/core";
import { onAbort } from "../remote/on-abort.ts";
import { freshBytes } from "../remote/opening.ts";
import type { Target } from "../remote/source-error.ts";
import type { SinkOptions } from "../sink-options.ts";
import { type S3Clients, s3Clients } from "./clients.ts";
import { requestS3 } from "./s3-request.ts";
import { parseS3Url, type S3Location, targetOf } from "./s3-url.ts";

const MiB = 1024 * 1024;
const PART_BYTES = 8 * MiB;
/** An upload has at most 10,000 parts, so that those of long ones have to be longer. */
const LONG_PART_BYTES = 64 * MiB;
const SHORT_PARTS = 1000;
const PARTS_AT_ONCE = 4;
/** How often an upload is aborted, until the store knows it no more. */
const ABORT_ROUNDS = 5;
const ABORT_PAUSE_MS = 100;

/**
 * Writes an object in parts. Under its name is what was there before until `close` has succeeded; `abort` removes the
 * parts from the store.
 *
 * @throws OptionsError for a URL that names no object; `write` and `close` throw SourceError
 */
export async function s3Sink(url: string, { signal, patchable = false }: SinkOptions = {}): Promise<ByteSink> {
  const location = parseS3Url(url);
  if (location.key === "" || location.key.endsWith("/")) {
    throw new OptionsError("is a folder, not an object", { where: { url }, remedy: "Name an object to write." });
  }
  return new S3Sink(location, await s3Clients(), signal, patchable);
}

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
}

class S3Sink implements ByteSink {
  readonly #target: Target;
  readonly #name: { readonly Bucket: string; readonly Key: string };
  readonly #clients: S3Clients;
  readonly #stop = new AbortController();
  readonly #unlisten: () => void;
  readonly #parts: Part[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #patchable: boolean;
  /** The first part, when it is full and held back. */
  #first: Uint8Array | undefined;
  #uploadId: string | undefined;
  #buffer: Uint8Array | undefined;
  #filled = 0;
  #sent = 0;
  #sizeBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #sealed = false;
  #ended = false;

  constructor(location: S3Location, clients: S3Clients, signal: AbortSignal | undefined, patchable: boolean) {
    this.#patchable = patchable;
    this.#target = targetOf(location);
    this.#name = { Bucket: location.bucket, Key: location.key };
    this.#clients = clients;
    this.#unlisten = onAbort(signal, (reason) => this.#stop.abort(reason));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    if (this.#sealed) throw new SourceError("the output is complete", { where: { url: this.#target.url } });
    this.#sizeBytes += bytes.length;
    for (let from = 0; from < bytes.length; ) {
      this.#buffer ??= freshBytes(this.#sent < SHORT_PARTS ? PART_BYTES : LONG_PART_BYTES);
      const some = bytes.subarray(from, from + this.#buffer.length - this.#filled);
      this.#buffer.set(some, this.#filled);
      this.#filled += some.length;
      from += some.length;
      if (this.#filled === this.#buffer.length) await this.#sendPart();
    }
  }

  async patch(position: number, bytes: Uint8Array): Promise<void> {
    this.#check();
    const held =
      this.#first ?? (this.#sent === 0 && !this.#sealed ? this.#buffer?.subarray(0, this.#filled) : undefined);
    if (held === undefined || position + bytes.length > held.length) {
      throw new SourceError("these bytes were sent already", { where: { url: this.#target.url } });
    }
    held.set(bytes, position);
  }

  /** Small objects too go as a part here: what is put whole would be there at once. */
  async seal(): Promise<void> {
    this.#check();
    if (this.#filled > 0 && !this.#sealed) await this.#sendPart();
    await this.#sendFirst();
    await Promise.all(this.#sending);
    this.#sealed = true;
    this.#check();
  }

  async close(): Promise<void> {
    this.#check();
    try {
      if (this.#uploadId === undefined && this.#first === undefined) await this.#putWhole();
      else {
        if (this.#filled > 0) await this.#sendPart();
        await this.#sendFirst();
        await Promise.all(this.#sending);
        this.#check();
        await this.#complete((this.#uploadId as string | undefined) ?? "");
      }
      this.#ended = true;
      this.#unlisten();
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#unlisten();
    this.#stop.abort(new SourceError("the upload was given up", { where: { url: this.#target.url } }));
    await Promise.all(this.#sending);
    const UploadId = this.#uploadId;
    if (UploadId === undefined) return;
    // A part whose connection was given up may still arrive at the store, and revives what was removed before it.
    for (let round = 0; round < ABORT_ROUNDS && (await this.#removeParts(UploadId)); round++) {
      await new Promise((resolve) => setTimeout(resolve, ABORT_PAUSE_MS * (round + 1)));
    }
  }

  /** @returns false when there is nothing to remove, or it cannot be removed */
  async #removeParts(UploadId: string): Promise<boolean> {
    try {
      await requestS3(this.#clients, { target: this.#target, op: "put" }, (abortSignal) =>
        this.#clients.main.send(new AbortMultipartUploadCommand({ ...this.#name, UploadId }), { abortSignal }),
      );
      return true;
    } catch (error) {
      // What failed before says more; parts that stay are invisible, and lifecycle rules remove them.
      if (error instanceof SourceError) return false;
      throw error;
    }
  }

  #check(): void {
    if (this.#ended) throw new SourceError("the output is closed", { where: { url: this.#target.url } });
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Hands the buffer over to an upload, or holds it back: the first one that may be patched. */
  async #sendPart(): Promise<void> {
    const isHeld = this.#patchable && this.#sent === 0;
    if (!isHeld) await this.#mayStart();
    const body = (this.#buffer as Uint8Array).subarray(0, this.#filled);
    this.#buffer = undefined;
    this.#filled = 0;
    this.#sent++;
    if (isHeld) this.#first = body;
    else this.#start(this.#sent, body);
  }

  async #sendFirst(): Promise<void> {
    const body = this.#first;
    if (body === undefined) return;
    await this.#mayStart();
    this.#first = undefined;
    this.#start(1, body);
  }

  /** Waits until few enough uploads are under way. */
  async #mayStart(): Promise<void> {
    this.#uploadId ??= await this.#create();
    while (this.#sending.size >= PARTS_AT_ONCE) await Promise.race(this.#sending);
    this.#check();
  }

  #start(part: number, body: Uint8Array): void {
    const sending = this.#upload(this.#uploadId as string, part, body)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #create(): Promise<string> {
    const { UploadId } = await this.#request(0, (abortSignal) =>
      this.#clients.main.send(new CreateMultipartUploadCommand(this.#name), { abortSignal }),
    );
    if (UploadId !== undefined) return UploadId;
    throw new SourceError("the store begins an upload without naming it", { where: { url: this.#target.url } });
  }

  async #upload(UploadId: string, PartNumber: number, Body: Uint8Array): Promise<void> {
    const { ETag } = await this.#request(Body.length, (abortSignal) =>
      this.#clients.main.send(new UploadPartCommand({ ...this.#name, UploadId, PartNumber, Body }), { abortSignal }),
    );
    this.#parts.push({ PartNumber, ETag: ETag ?? "" });
  }

  async #putWhole(): Promise<void> {
    const Body = (this.#buffer ?? new Uint8Array(0)).subarray(0, this.#filled);
    await this.#request(Body.length, (abortSignal) =>
      this.#clients.main.send(new PutObjectCommand({ ...this.#name, Body }), { abortSignal }),
    );
  }

  async #complete(UploadId: string): Promise<void> {
    const Parts = this.#parts.sort((a, b) => a.PartNumber - b.PartNumber);
    try {
      await this.#request(0, (abortSignal) =>
        this.#clients.main.send(
          new CompleteMultipartUploadCommand({ ...this.#name, UploadId, MultipartUpload: { Parts } }),
          {
            abortSignal,
          },
        ),
      );
    } catch (error) {
      // An answer that was lost may have been a success: then the upload is no more, and the object is there.
      const gone = error instanceof SourceError && error.reason === "NotFound" && (error.request?.attempts ?? 0) > 1;
      if (!gone || !(await this.#isThere(Parts.length))) throw error;
    }
  }

  async #isThere(parts: number): Promise<boolean> {
    const { ContentLength, ETag } = await this.#request(0, (abortSignal) =>
      this.#clients.main.send(new HeadObjectCommand(this.#name), { abortSignal }),
    );
    return ContentLength === this.#sizeBytes && ETag?.includes(`-${parts}`) === true;
  }

  #request<T>(sizeBytes: number, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return requestS3(this.#clients, { target: this.#target, op: "put", signal: this.#stop.signal, sizeBytes }, send);
  }
}
