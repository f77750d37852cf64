// A schema registry in memory that answers as Confluent's does, with its error codes, and fails on request.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Version {
  readonly id: number;
  readonly guid: string;
  readonly schema: string;
  readonly schemaType: string | undefined;
  readonly references: readonly { name: string; subject: string; version: number }[];
}

/** What happens to a request instead of, or before, its answer. */
export interface RegistryFault {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  /** Never answered. */
  readonly hang?: boolean;
}

export class RegistryStub {
  readonly url: string;
  /** "GET /path" of each request. */
  readonly seen: string[] = [];
  /** The header `authorization` of each request. */
  readonly authorizations: (string | undefined)[] = [];
  /** Called for each request with the number of those before it. */
  fault: (index: number, path: string) => RegistryFault | undefined = () => undefined;
  /** What `authorization` must be. */
  wanted: string | undefined;
  readonly #subjects = new Map<string, Version[]>();
  readonly #ids: Version[] = [];
  readonly #server;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => this.#answer(incoming, outgoing));
  }

  static async start(): Promise<RegistryStub> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new RegistryStub(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @returns the schema's id */
  register(
    subject: string,
    schema: unknown,
    options: { readonly schemaType?: string; readonly references?: Version["references"] } = {},
  ): { id: number; guid: string; version: number } {
    const id = this.#ids.length + 1;
    const guid = `00000000-0000-4000-8000-${id.toString(16).padStart(12, "0")}`;
    const text = typeof schema === "string" ? schema : JSON.stringify(schema);
    const version = { id, guid, schema: text, schemaType: options.schemaType, references: options.references ?? [] };
    this.#ids.push(version);
    const versions = this.#subjects.get(subject) ?? [];
    this.#subjects.set(subject, [...versions, version]);
    return { id, guid, version: versions.length + 1 };
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const path = (incoming.url ?? "").replace(/\?.*$/, "");
    const fault = this.fault(this.seen.length, path) ?? {};
    this.seen.push(`${incoming.method} ${path}`);
    this.authorizations.push(incoming.headers.authorization);
    if (fault.hang === true) return;
    const answer = (): void => {
      const [status, body] = fault.status === undefined ? this.#find(incoming, path) : [fault.status, fault.body ?? ""];
      outgoing.writeHead(status, { "content-type": "application/vnd.schemaregistry.v1+json", ...fault.headers });
      outgoing.end(body);
    };
    if (fault.delayMs === undefined) answer();
    else setTimeout(answer, fault.delayMs);
  }

  #find(incoming: IncomingMessage, path: string): [number, string] {
    const error = (status: number, error_code: number, message: string): [number, string] => [
      status,
      JSON.stringify({ error_code, message }),
    ];
    if (this.wanted !== undefined && incoming.headers.authorization !== this.wanted) {
      return error(401, 401, "Unauthorized");
    }
    const [, kind, name = "", third, fourth] = path.split("/").map(decodeURIComponent);
    if (kind === "schemas") {
      const found = this.#ids.find(({ id, guid }) => (name === "ids" ? String(id) === third : guid === third));
      if (found === undefined) return error(404, 40403, "Schema not found");
      return [200, JSON.stringify(this.#schema(found))];
    }
    if (kind !== "subjects" || third !== "versions") return error(404, 404, "HTTP 404 Not Found");
    const versions = this.#subjects.get(name);
    if (versions === undefined) return error(404, 40401, `Subject '${name}' not found.`);
    if (fourth !== "latest" && !/^[1-9]\d*$/.test(fourth ?? "")) {
      return error(422, 42202, `The specified version '${fourth}' is not a valid version id.`);
    }
    const version = fourth === "latest" ? versions.length : Number(fourth);
    const found = versions[version - 1];
    if (found === undefined) return error(404, 40402, `Version ${version} not found.`);
    return [200, JSON.stringify({ subject: name, id: found.id, version, ...this.#schema(found) })];
  }

  #schema({ schema, schemaType, references }: Version): object {
    return {
      ...(schemaType === undefined ? {} : { schemaType }),
      schema,
      ...(references.length === 0 ? {} : { references }),
    };
  }
}
