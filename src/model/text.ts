/** A text by key; parameters may be texts themselves. Rendered by `content/` in the reader's language and form of address. */
export type TextRef = { key: string; params?: Record<string, string | number | TextRef> }
