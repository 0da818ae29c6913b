import { z } from 'zod'

/** A text by key; parameters may be texts themselves. Rendered by `content/` in the reader's language and form of address. */
export type TextRef = { key: string; params?: Record<string, string | number | TextRef> }
/** One that was stored. */
export const TextRef: z.ZodType<TextRef> = z.lazy(() =>
  z.object({ key: z.string(), params: z.record(z.string(), z.union([z.string(), z.number(), TextRef])).exactOptional() }),
)
