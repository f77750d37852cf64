async function isReady(): Promise<boolean> {
  return false;
}

export function alwaysTrue(): string {
  if (isReady()) return "ready";
  return "never";
}
