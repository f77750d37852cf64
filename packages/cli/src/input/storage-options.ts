import { OptionsError } from "@ingest-ts/core";
import type { configureStorage } from "@ingest-ts/storage";
import { type Command, Option } from "commander";
import { sizeParser } from "./sizes.ts";

/** What commander hands over for the options of object storage, spelled as in the aws command line. */
interface StorageFlags {
  readonly endpointUrl?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly signRequest?: boolean;
  readonly requestPayer?: "requester";
  readonly addressingStyle?: "auto" | "path" | "virtual";
  readonly cacheDir?: string;
  readonly cacheBytes?: number;
}

const parseSize = sizeParser("--cache-bytes");

/** As `addressing_style` of the aws command line; auto: in the path with an endpoint, else in the host name. */
const pathStyle = { auto: undefined, path: true, virtual: false } as const;

/** Adds the options that every command with URIs has, and sets storage up before the command runs. */
export function addStorageOptions(command: Command): void {
  const options = [
    new Option("--endpoint-url <url>", "address of a store that is not AWS"),
    new Option("--region <name>", "region of the bucket"),
    new Option("--profile <name>", "profile of ~/.aws with the credentials"),
    new Option("--no-sign-request", "send no credentials (public buckets)"),
    new Option("--request-payer <who>", "who pays for the requests").choices(["requester"]),
    new Option("--addressing-style <style>", "bucket in the path or in the host name (default: auto)").choices([
      "auto",
      "path",
      "virtual",
    ]),
    new Option("--cache-dir <folder>", "keep what was read there (INGEST_CACHE_DIR)"),
    new Option("--cache-bytes <size>", "at most so much of it (INGEST_CACHE_BYTES; default 64GiB)").argParser(
      parseSize,
    ),
  ];
  for (const option of options) command.addOption(option.helpGroup("Object storage:"));
  command.hook("preAction", () => configure(command.opts<StorageFlags>()));
}

async function configure(flags: StorageFlags): Promise<void> {
  const { env } = process;
  const cacheDir = flags.cacheDir ?? (env["INGEST_CACHE_DIR"] || undefined);
  const fromEnv = env["INGEST_CACHE_BYTES"];
  const cacheBytes = flags.cacheBytes ?? (fromEnv === undefined || fromEnv === "" ? undefined : parseSize(fromEnv));
  if (flags.signRequest === false && flags.requestPayer !== undefined) {
    throw new OptionsError("--no-sign-request and --request-payer exclude each other", {
      remedy: "Whoever pays must say who they are.",
    });
  }
  if (flags.endpointUrl !== undefined && !/^https?:\/\//i.test(flags.endpointUrl)) {
    throw new OptionsError("--endpoint-url is no http:// or https:// URL", { remedy: "Write it with its scheme." });
  }
  // The SDK's advice on Node's version is for who chooses it, not for who runs a command.
  env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  // So that region and endpoint of the profile count too, not its credentials alone.
  if (flags.profile !== undefined) env["AWS_PROFILE"] = flags.profile;
  await apply({
    s3: {
      endpoint: flags.endpointUrl,
      region: flags.region,
      profile: flags.profile,
      anonymous: flags.signRequest === false,
      requestPayer: flags.requestPayer,
      forcePathStyle: pathStyle[flags.addressingStyle ?? "auto"],
    },
    cacheDir,
    cacheBytes,
  });
}

/** For the processes that this one starts; it holds no secrets. */
const HANDED_ON = "INGEST_STORAGE_SETTINGS";

async function apply(settings: Parameters<typeof configureStorage>[0]): Promise<void> {
  process.env[HANDED_ON] = JSON.stringify(settings);
  (await import("@ingest-ts/storage")).configureStorage(settings);
}

/** Sets storage up as in the process that started this one. */
export async function inheritStorage(): Promise<void> {
  const text = process.env[HANDED_ON];
  if (text !== undefined) await apply(JSON.parse(text) as Parameters<typeof configureStorage>[0]);
}
