import type { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { StoreFailure } from "../remote/failure.ts";

const END = "</ListBucketResult>";

/**
 * Lets a page through only when its body is all there. An answer without a length that says "Connection: close" ends
 * with its connection, so undici takes a broken one for complete, and the SDK reads half a page, or nothing, as a page.
 */
export function checkWhole(command: ListObjectsV2Command): ListObjectsV2Command {
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const answer = result.response as { statusCode?: number; body?: unknown };
      if (answer.statusCode !== 200) return result;
      const body = await bytesOf(answer.body);
      const last = body
        .subarray(-END.length - 16)
        .toString("latin1")
        .trimEnd();
      if (!last.endsWith(END)) {
        throw new StoreFailure("transient", "the listing ends early", { code: "IncompleteBody", status: 200 });
      }
      answer.body = body;
      return result;
    },
    { step: "deserialize", priority: "low", name: "checkWhole" },
  );
  return command;
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parts: Uint8Array[] = [];
  for await (const part of body as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}
