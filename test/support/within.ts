/** What `work` gives, or, where it has not come after so many milliseconds, the error that says so. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => timer = setTimeout(() => reject(late()), ms));
  return await Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
}
