// A certificate authority for one test run and a certificate for 127.0.0.1, made by openssl.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificates {
  /** PEM of the authority. */
  readonly ca: string;
  readonly caFile: string;
  /** Key and chain of the server in one PEM. */
  readonly serverFile: string;
}

/** Arguments are separated by one space; paths with spaces go by the names of files in `cwd`. */
function openssl(cwd: string, line: string): void {
  const { status, stderr } = spawnSync("openssl", line.split(" "), { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${line}: ${stderr}`);
}

/** Files in `folder`, valid for `days`. */
export function makeCertificates(folder: string, days = 2): Certificates {
  const path = (name: string): string => join(folder, name);
  const key = "-newkey rsa:2048 -nodes";
  writeFileSync(path("san.txt"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  openssl(
    folder,
    `req -x509 ${key} -keyout ca.key -out ca.pem -subj /CN=authority -addext basicConstraints=critical,CA:TRUE -days ${days}`,
  );
  openssl(folder, `req ${key} -keyout server.key -out server.csr -subj /CN=localhost`);
  openssl(
    folder,
    `x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days ${days} -extfile san.txt -out server.crt`,
  );
  const ca = readFileSync(path("ca.pem"), "utf8");
  // One file for Kafka: the key as PKCS #8, then the chain.
  const server = `${readFileSync(path("server.key"), "utf8")}${readFileSync(path("server.crt"), "utf8")}${ca}`;
  writeFileSync(path("server.pem"), server);
  return { ca, caFile: path("ca.pem"), serverFile: path("server.pem") };
}
