async function save(): Promise<void> {}

export function lose(): void {
  save();
}
