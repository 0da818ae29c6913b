import { articlesOf } from '../../conversation/ask-platform.ts'
import { type LiveSession, say, type Turn } from '../../conversation/turn.ts'
import type { Var } from '../../engine/flow.ts'
import { fold } from '../../lib/fold.ts'
import { leaves } from './audience.ts'

type Result = Record<string, Var>

const NONE = new Set(['khong', 'khong gui', 'bo', '0', 'none'])

/** The account's published articles, to choose one by its number; where the account may not broadcast any, who can allow it. */
export async function listArticles(turn: Turn): Promise<Result> {
  const articles = turn.commune?.settings.get('campaign.article') === 'yes' ? articlesOf(turn) : undefined
  if (articles === undefined || articles === 'unread' || articles.length === 0) {
    say(
      turn,
      articles === undefined ? 'broadcast.article_off' : articles === 'unread' ? 'broadcast.article_unread' : 'broadcast.article_none',
    )
    return { _next: 'review' }
  }
  say(turn, 'broadcast.article_list', { lines: articles.map(({ title }, index) => `${index + 1}. ${title}`).join('\n') })
  return { _articles: articles.map(({ id }) => id).join(' '), _next: 'on' }
}

/** "2"; KHÔNG takes the article away. */
export async function takeArticle(_turn: Turn, { state: { vars } }: LiveSession): Promise<Result> {
  const text = fold(String(vars.article ?? ''))
  if (leaves(text)) return { _next: 'end' }
  if (NONE.has(text)) return { _article: '', _next: 'on' }
  const id = String(vars._articles ?? '').split(' ')[Number(/\d+/.exec(text)?.[0]) - 1]
  return id ? { _article: id, _next: 'on' } : { _next: 'article' }
}
