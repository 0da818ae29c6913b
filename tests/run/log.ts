/** The bot's own log: each complaint once, with how often and where from. */
export function digestLog(log: string): string[] {
  const counts = new Map<string, number>()
  for (const line of log.split('\n')) {
    if (!line.startsWith('{')) continue
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string; stack?: string } }
    const frames = (err?.stack ?? '').split('\n').filter((frame) => frame.includes('/src/') && !frame.includes('node_modules'))
    const where = frames.slice(0, 3).map((frame) =>
      frame
        .trim()
        .replace(/.*\/src\//, 'src/')
        .replace(/\)$/, ''),
    )
    const text = [msg, err?.message?.slice(0, 300), ...where].filter(Boolean).join(' | ')
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts].map(([text, count]) => `log ${count} ×: ${text}`)
}
