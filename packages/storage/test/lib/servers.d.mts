/** See servers.mjs. */
export interface S3Server {
  readonly name: string;
  readonly endpoint: string;
  /** Of the server's process. */
  readonly pid: number;
  stop(): Promise<void>;
}

export interface S3ServerKind {
  readonly name: string;
  /** Why it cannot run here; undefined when it can. */
  readonly missing: string | undefined;
  start(): Promise<S3Server>;
}

export declare const accessKey: string;
export declare const secretKey: string;
export declare const servers: readonly S3ServerKind[];
