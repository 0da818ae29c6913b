import { z } from 'zod'
import type { Call } from './call.ts'
import { Id, NumberLike } from './json.ts'
import { readData } from './read-data.ts'

const ArticleSlice = z.object({
  medias: z
    .array(
      z.object({
        id: Id,
        title: z.string(),
        // `hide` until somebody publishes it
        status: z.string().optional(),
        create_date: NumberLike.optional().catch(undefined),
      }),
    )
    .default([]),
})

/** An article of the account; only a shown one can be broadcast. */
export type ArticleSummary = { id: string; title: string; isShown: boolean; createdMs?: number }

export type Articles = {
  /** The newest articles first, at most 10. */
  listArticles(): Promise<ArticleSummary[]>
}

// More is answered with -210, seen in production
const MAX_SLICE = 10

export function createArticles(call: Call): Articles {
  const path = '/v2.0/article/getslice'
  return {
    async listArticles() {
      const query = { offset: 0, limit: MAX_SLICE, type: 'normal' }
      const { data } = await call({ method: 'GET', host: 'oa', path, query, repeatable: true })
      return readData(ArticleSlice, data, `GET ${path}`).medias.map(({ id, title, status, create_date }) => ({
        id,
        title,
        isShown: status === 'show',
        ...(create_date === undefined ? {} : { createdMs: create_date }),
      }))
    },
  }
}
