import { type ByteSource, OptionsError, publicUrl, type ReadOptions } from "@ingest-ts/core";
import { openTransport, sourceOf } from "../remote/open-remote.ts";
import { HttpTransport } from "./http-transport.ts";

/** Opens an `http(s):` URL of a server that answers ranges. @throws SourceError, UnsupportedError, OptionsError */
export async function open(url: string, options: ReadOptions = {}): Promise<ByteSource> {
  options.signal?.throwIfAborted();
  const shown = publicUrl(url);
  return sourceOf(await openTransport(new HttpTransport(parse(url, shown), shown), options));
}

function parse(url: string, shown: string): URL {
  if (URL.canParse(url)) return new URL(url);
  // Without the cause: it quotes the URL, which may hold a password.
  throw new OptionsError("not a URL", { where: { url: shown }, remedy: "Percent-encode what is special in it." });
}
