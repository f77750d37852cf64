export async function waitForNothing(): Promise<number> {
  return await 1;
}
