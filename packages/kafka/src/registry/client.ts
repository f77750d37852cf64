import { SourceError, UnsupportedError } from "@ingest-ts/core";
import { RegistryHttp, type RegistryOptions } from "./http.ts";

/** A schema as the registry keeps it. */
export interface RegisteredSchema {
  /** "AVRO", "JSON" or "PROTOBUF". */
  readonly schemaType: string;
  /** For Avro: JSON text. */
  readonly schema: string;
  /** Schemas whose names it uses, each after those that it uses itself. */
  readonly references: readonly string[];
}

/** A version of a subject. */
export interface SubjectVersion extends RegisteredSchema {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
}

interface Reference {
  readonly subject: string;
  readonly version: number;
}

const MOST_REFERENCES = 200;

function refuse(what: string): never {
  throw new SourceError(`the schema registry answered ${what}`, {
    reason: "Corrupt",
    remedy: "Is it an address of a Confluent-compatible registry?",
  });
}

function record(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return refuse(`no object for ${what}`);
  return json as Record<string, unknown>;
}

function textOf(json: Readonly<Record<string, unknown>>, key: string, what: string): string {
  const value = json[key];
  return typeof value === "string" ? value : refuse(`without "${key}" for ${what}`);
}

function wholeOf(json: Readonly<Record<string, unknown>>, key: string, what: string): number {
  const value = json[key];
  return typeof value === "number" && Number.isInteger(value) ? value : refuse(`without "${key}" for ${what}`);
}

function referencesOf(json: Readonly<Record<string, unknown>>, what: string): Reference[] {
  const list = json["references"] ?? [];
  if (!Array.isArray(list)) return refuse(`no list of references for ${what}`);
  return list.map((item: unknown) => {
    const entry = record(item, `a reference of ${what}`);
    return { subject: textOf(entry, "subject", what), version: wholeOf(entry, "version", what) };
  });
}

/** Keeps answers: schemas for ever, since ids and versions never change; refusals for a short time. */
class Cache<T> {
  readonly #kept = new Map<string, Promise<T>>();
  readonly #negativeMs: number;

  constructor(negativeMs: number) {
    this.#negativeMs = negativeMs;
  }

  /** The same promise for all that ask for `key` at the same time. */
  get(key: string, load: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const loading = load();
    this.#kept.set(key, loading);
    const forget = (): void => {
      if (this.#kept.get(key) === loading) this.#kept.delete(key);
    };
    loading.catch((error: unknown) => {
      const believe = error instanceof SourceError && error.reason === "NotFound" && this.#negativeMs > 0;
      if (believe) setTimeout(forget, this.#negativeMs).unref();
      else forget();
    });
    return loading;
  }
}

/**
 * A client of a schema registry with Confluent's API (also that of Apicurio's `/apis/ccompat/v7`). Every schema is asked
 * for once, whoever asks; nothing is written. Has nothing to close.
 */
export class SchemaRegistry {
  readonly #http: RegistryHttp;
  readonly #schemas: Cache<RegisteredSchema>;
  readonly #versions: Cache<SubjectVersion>;

  /** @throws OptionsError for an address that is none or carries secrets */
  constructor(options: RegistryOptions) {
    this.#http = new RegistryHttp(options);
    const negativeMs = options.negativeMs ?? 5000;
    this.#schemas = new Cache(negativeMs);
    this.#versions = new Cache(negativeMs);
  }

  /** Fit to be shown. */
  get url(): string {
    return this.#http.url;
  }

  /** @throws SourceError: "NotFound" for an id that it does not know, others see `RegistryHttp` */
  schemaById(id: number): Promise<RegisteredSchema> {
    return this.#schema(`/schemas/ids/${id}`, `schema ${id}`);
  }

  /** @param guid 8-4-4-4-12 */
  schemaByGuid(guid: string): Promise<RegisteredSchema> {
    return this.#schema(`/schemas/guids/${encodeURIComponent(guid)}`, `schema ${guid}`);
  }

  /** `version` "latest" is asked for anew every time. */
  async subject(subject: string, version: number | "latest"): Promise<SubjectVersion> {
    const what = `version ${version} of subject "${subject}"`;
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const load = async (): Promise<SubjectVersion> => {
      const json = record(await this.#http.get(path, what), what);
      const id = wholeOf(json, "id", what);
      return { subject, version: wholeOf(json, "version", what), id, ...(await this.#registered(json, what)) };
    };
    return version === "latest" ? load() : this.#versions.get(path, load);
  }

  #schema(path: string, what: string): Promise<RegisteredSchema> {
    return this.#schemas.get(path, async () => this.#registered(record(await this.#http.get(path, what), what), what));
  }

  async #registered(json: Readonly<Record<string, unknown>>, what: string): Promise<RegisteredSchema> {
    // Left out for Avro, the registry's first and only kind for years.
    const schemaType = json["schemaType"] === undefined ? "AVRO" : textOf(json, "schemaType", what);
    const schema = textOf(json, "schema", what);
    const found = new Map<string, string>();
    await this.#collect(referencesOf(json, what), what, found, []);
    return { schemaType, schema, references: [...found.values()] };
  }

  /** Depth first, so that each comes after those that it uses. */
  async #collect(
    references: readonly Reference[],
    what: string,
    found: Map<string, string>,
    path: readonly string[],
  ): Promise<void> {
    for (const { subject, version } of references) {
      const key = `${subject}\n${version}`;
      if (found.has(key)) continue;
      if (path.includes(key)) return refuse(`references that go in a circle for ${what}`);
      if (found.size + path.length >= MOST_REFERENCES) {
        throw new UnsupportedError(`more than ${MOST_REFERENCES} references of ${what}`);
      }
      const name = `version ${version} of subject "${subject}", which ${what} uses`;
      const answer = await this.#http.get(`/subjects/${encodeURIComponent(subject)}/versions/${version}`, name);
      const json = record(answer, name);
      await this.#collect(referencesOf(json, name), what, found, [...path, key]);
      found.set(key, textOf(json, "schema", name));
    }
  }
}
