import type { WireReader, WireWriter } from "../wire.ts";

/** One kind of request, in the versions spoken here. */
export interface Api<Request, Response> {
  readonly name: string;
  readonly key: number;
  /** Best first. */
  readonly versions: readonly number[];
  /** Whether a version can say what is asked; without it each can. */
  accepts?(request: Request, version: number): boolean;
  encode(writer: WireWriter, request: Request, version: number): void;
  decode(reader: WireReader, version: number, request: Request): Response;
}
