import type { Sql, TransactionSql } from 'postgres'
import { type AudienceArgs, countUnwantedReaders } from './audience.ts'
import type { Frozen } from './freeze.ts'
import { type Refused, refuse } from './refusal.ts'

/** Nobody at all, or nobody any way leads to. */
export function refuseEmpty({ people, reached, reason }: Frozen): Refused | undefined {
  if (people === 0) return refuse('nobody')
  return reached > 0 ? undefined : refuse('nobody_reachable', { people, reason: { key: reasonKey(reason) } })
}

/** An article reaches all who follow: with one among them who may not be written to, it is not sent. */
export async function refuseArticle(sql: Sql | TransactionSql, args: AudienceArgs): Promise<Refused | undefined> {
  if (args.routes.articleId === undefined) return undefined
  const count = await countUnwantedReaders(sql, args)
  return count > 0 ? refuse('article_readers', { count }) : undefined
}

const REASONS = ['stopped', 'declined', 'ceiling', 'window_closed', 'no_chat', 'village_notice', 'article_broadcast']

/** Text key of a reason; every class of a platform's final refusal reads alike. */
const reasonKey = (reason: string) => `campaign.reason.${REASONS.includes(reason) ? reason : 'unreachable'}`
