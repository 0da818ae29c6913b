import type { Random } from '../random.ts'
import { invalid, Refusal } from '../refusal.ts'
import type { Store } from '../store.ts'
import type { Article } from '../world.ts'
import type { OaCall, OaRoute } from './gateway.ts'
import { readArray, readInteger, readObject, readText } from './shape.ts'

/** how long a new article answers -214; the vendor says only "processing" */
const PROCESSING_MS = 5_000
// zalo.md 4.7, seen live
const MAX_SLICE = 10
const FIELDS = ['type', 'title', 'author', 'cover', 'description', 'status', 'body', 'related_medias', 'tracking_link', 'comment']

/** Articles: created with a token, known by an id once processed. */
export function registerArticles(route: OaRoute, { store, random }: { store: Store; random: Random }): void {
  function save({ account, at }: OaCall, article: Pick<Article, 'id' | 'body'>) {
    const token = random.token(80)
    store.commit({ t: 'article', oaId: account.settings.oaId, article: { ...article, token, at } })
    return { token }
  }

  function find(call: OaCall, id: unknown): Article {
    const article = typeof id === 'string' ? call.account.articles.get(id) : undefined
    if (!article) throw invalid('id')
    return article
  }

  route('POST', '/v2.0/article/create', (call) => save(call, { id: random.hex(24), body: readArticle(call.body, FIELDS) }))

  route('POST', '/v2.0/article/verify', (call) => {
    const { token } = readObject(call.body, 'body', ['token'])
    const article = [...call.account.articles.values()].find((known) => known.token === token)
    if (!article) throw invalid('token')
    if (call.at - article.at < PROCESSING_MS) throw new Refusal(-214)
    return { id: article.id }
  })

  route('POST', '/v2.0/article/update', (call) => {
    const body = readArticle(call.body, [...FIELDS, 'id'])
    return save(call, { id: find(call, body.id).id, body })
  })

  route('POST', '/v2.0/article/remove', (call) => {
    const { id } = find(call, readObject(call.body, 'body', ['id']).id)
    store.commit({ t: 'article-gone', oaId: call.account.settings.oaId, id })
    return { message: 'Success' }
  })

  route('GET', '/v2.0/article/getdetail', (call) => {
    const { id, body } = find(call, call.query.id)
    return { ...body, id }
  })

  route('GET', '/v2.0/article/getslice', (call) => {
    const offset = readInteger(Number(call.query.offset ?? 0), 'offset', { min: 0, max: 1_000_000 })
    const limit = readInteger(Number(call.query.limit ?? MAX_SLICE), 'limit', { min: 1, max: MAX_SLICE })
    const all = [...call.account.articles.values()].reverse()
    return {
      total: all.length,
      medias: all
        .slice(offset, offset + limit)
        .map(({ id, at, body }) => ({ id, type: 'normal', title: body.title, status: body.status, create_date: at })),
    }
  })
}

/** A new article is hidden unless it says otherwise. */
function readArticle(value: unknown, allowed: readonly string[]): Record<string, unknown> {
  const body = readObject(value, 'body', allowed)
  if (body.type !== 'normal') throw invalid('type')
  readText(body.title, 'title', 150)
  readText(body.description, 'description', 300)
  readText(body.author, 'author', 50)
  readObject(body.cover, 'cover', ['cover_type', 'photo_url', 'video_id', 'cover_view', 'status'])
  readArray(body.body, 'body', { min: 1, max: 100 })
  if (body.status !== undefined && body.status !== 'show' && body.status !== 'hide') throw invalid('status')
  return { status: 'hide', ...body }
}
