import { FormatError, type Limits, UnsupportedError } from "@ingest-ts/core";
import { avroFaults } from "@ingest-ts/kernels";
import type { Blame } from "./program.ts";

/** What the kernel found: `at` are bytes from the start of the data, `left` bytes behind them. */
export interface Fault {
  readonly code: number;
  readonly value: bigint;
  readonly at: number;
  readonly left: number;
  readonly blame: Blame;
}

const { freeItems, depth, tooMany } = avroFaults;

/** What is legal but not done. */
function unsupported({ code, value, blame }: Fault, limits: Limits): UnsupportedError | undefined {
  const where = { column: blame.path };
  switch (code) {
    case freeItems:
      return new UnsupportedError(
        `a count of items without bytes of ${value} is over limits.zeroLengthItems = ${limits.zeroLengthItems}`,
        { where, remedy: "If the file is to be trusted, raise limits.zeroLengthItems." },
      );
    case depth:
      return new UnsupportedError(`a value of the recursive type "${blame.type}" is nested deeper than ${value}`);
    case tooMany:
      return new UnsupportedError(`a slab of ${value} items in one column`, {
        where,
        remedy: "Read with a smaller batchRows.",
      });
    default:
      return undefined;
  }
}

const messages: Readonly<Record<number, (fault: Fault) => string>> = {
  [avroFaults.ends]: ({ value, at }) => `a value of ${value} bytes passes the end of its data at byte ${at}`,
  [avroFaults.number]: ({ at }) => `a number is cut off or longer than 10 bytes at byte ${at}`,
  [avroFaults.int]: ({ at }) => `an int does not fit 32 bits at byte ${at}`,
  [avroFaults.boolean]: ({ value, at }) => `a boolean is ${value} at byte ${at - 1}`,
  [avroFaults.branch]: ({ value, at }) => `a union has no branch ${value} at byte ${at}`,
  [avroFaults.symbol]: ({ value, at }) => `an enum has no symbol ${value} at byte ${at}`,
  [avroFaults.length]: ({ value, at, left }) => `a length of ${value} with ${left} bytes left at byte ${at}`,
  [avroFaults.items]: ({ value, left }) => `${value} items are claimed with ${left} bytes left`,
  [avroFaults.decimalEmpty]: ({ at }) => `a decimal has no bytes at byte ${at}`,
  [avroFaults.decimalRange]: ({ value, at }) => `a decimal passes ${value} bits at byte ${at}`,
  [avroFaults.uuid]: ({ at }) => `a uuid is not 8-4-4-4-12 hexadecimal digits at byte ${at}`,
  [avroFaults.duration]: ({ value, at }) => `a duration of ${value} months or days passes 31 bits at byte ${at}`,
  [avroFaults.trailing]: ({ left }) => `${left} bytes are left behind the value`,
  [avroFaults.notText]: ({ value }) => `a string of ${value} bytes is not UTF-8`,
  [avroFaults.unresolvedBranch]: ({ blame, at }) =>
    `${blame.message ?? "a union's branch has no place"}, at byte ${at}`,
  [avroFaults.unresolvedSymbol]: ({ value, at }) =>
    `symbol ${value} of an enum is none of the schema to read with, which has no default, at byte ${at}`,
};

/** The error for a fault in a datum. */
export function faultError(fault: Fault, limits: Limits): FormatError | UnsupportedError {
  const error = unsupported(fault, limits);
  if (error !== undefined) return error;
  const { code, blame } = fault;
  const isUnresolved = code === avroFaults.unresolvedBranch || code === avroFaults.unresolvedSymbol;
  return new FormatError((messages[code] as (fault: Fault) => string)(fault), {
    where: { column: blame.path },
    remedy: isUnresolved ? "Change the schema to read with so that it has a place for every value." : undefined,
  });
}
