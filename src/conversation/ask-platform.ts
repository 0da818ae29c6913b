import type { Turn } from './turn.ts'

export type Article = { id: string; title: string }

/** What the platform answered to the questions of a turn; `unread`: it could not. */
export type PlatformAnswers = { articles?: readonly Article[] | 'unread' }

/**
 * Thrown where a turn cannot go on without the platform's word: the turn is taken back, the platform asked while nothing is locked and no
 * connection held, and the turn is begun anew with the answer. Nothing was decided yet, so a process may die at any point of it.
 */
export class PlatformQuestion extends Error {
  override name = 'PlatformQuestion'
  /** Puts the question and keeps the answer. Never throws. */
  readonly ask: (answers: PlatformAnswers) => Promise<void>
  constructor(ask: PlatformQuestion['ask']) {
    super('the platform has to be asked first')
    this.ask = ask
  }
}

/** Published articles of the account, the newest first; undefined where the platform has no such thing. */
export function articlesOf({ channel, answers }: Turn): NonNullable<PlatformAnswers['articles']> | undefined {
  if (!channel.listArticles) return undefined
  if (answers.articles) return answers.articles
  throw new PlatformQuestion(async (kept) => {
    kept.articles = (await channel.listArticles?.().catch(() => undefined)) ?? 'unread'
  })
}
