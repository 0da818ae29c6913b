import type { z } from 'zod'
import { ZaloError } from './zalo-error.ts'

/** The answer's `data` in its shape. A platform that says "success" with something else is asked again later: reading harms nobody. */
export function readData<T>(schema: z.ZodType<T>, data: unknown, request: string): T {
  const parsed = schema.safeParse(data ?? undefined)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
  throw new ZaloError({
    action: 'retry',
    reason: 'unreadable_answer',
    meaning: `unexpected data at: ${fields || 'the top'}`,
    request,
    code: 0,
  })
}
