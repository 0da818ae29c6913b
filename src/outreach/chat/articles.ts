import { type LiveSession, say, type Turn } from '../../conversation/turn.ts'
import type { Var } from '../../engine/flow.ts'
import { fold } from '../../lib/fold.ts'
import { leaves } from './audience.ts'

type Result = Record<string, Var>

const NONE = new Set(['khong', 'khong gui', 'bo', '0', 'none'])

/** The account's published articles, to choose one by its number; where the account may not broadcast any, who can allow it. */
export async function listArticles(turn: Turn): Promise<Result> {
  if (turn.commune?.settings.get('campaign.article') !== 'yes' || !turn.channel.listArticles) {
    say(turn, 'broadcast.article_off')
    return { _next: 'review' }
  }
  // A step of few officers a few times a year: the platform is asked on the spot, and its own time-out bounds the wait
  const articles = await turn.channel.listArticles().catch(() => undefined)
  if (!articles || articles.length === 0) {
    say(turn, articles ? 'broadcast.article_none' : 'broadcast.article_unread')
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
