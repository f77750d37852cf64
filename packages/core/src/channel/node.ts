import diagnostics from "node:diagnostics_channel";

export interface NamedChannel<T> {
  readonly name: string;
  readonly hasSubscribers: boolean;
  publish(message: T): void;
}

/** The process-wide channel of that name. */
export function channel<T>(name: string): NamedChannel<T> {
  return diagnostics.channel(name) as unknown as NamedChannel<T>;
}
