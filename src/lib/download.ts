/** The bytes behind an address, or `too_large` as soon as they are more than `maxBytes`. Throws for whatever else is not a whole file. */
export async function download(
  url: string,
  { maxBytes, timeoutMs }: { maxBytes: number; timeoutMs: number },
): Promise<Buffer | 'too_large'> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
  if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body) {
    size += part.length
    if (size > maxBytes) return 'too_large'
    parts.push(part)
  }
  return Buffer.concat(parts)
}
