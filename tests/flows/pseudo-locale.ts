import { join } from 'node:path'
import { type Content, loadContent } from '../../src/content/load.ts'
import type { Language, Texts } from '../../src/content/texts.ts'

/** What stands around every text of a language: letters outside of any marks stand in the code, or are somebody's own. */
export const MARKS: Record<Language, [open: string, close: string]> = { vi: ['⟪', '⟫'], en: ['⟦', '⟧'] }

export const mark = (language: Language, text: string): string => MARKS[language].join(text)

const marked = (texts: Texts): Texts => ({ ...texts, format: (ref, common) => mark(texts.language, texts.format(ref, common)) })

/** The project's content with every text of its locales marked. */
export function pseudoContent(): Content {
  const content = loadContent(join(import.meta.dirname, '../..'))
  return { ...content, texts: { vi: marked(content.texts.vi), en: marked(content.texts.en) } }
}

/** What is left of a message without everything between marks, however deep. */
export function outside(message: string): string {
  let depth = 0
  let left = ''
  for (const character of message) {
    if (character === MARKS.vi[0] || character === MARKS.en[0]) depth += 1
    else if (character === MARKS.vi[1] || character === MARKS.en[1]) depth -= 1
    else if (depth === 0) left += character
  }
  return left
}
