import type { CampaignState } from '../db/schema.ts'
import type { TextRef } from '../model/text.ts'

/** What was asked for cannot be done; `problem` says why and what to do, for the officer's chat. Nothing was changed or sent. */
export type Refused = { type: 'refused'; problem: TextRef }

/** A refusal by its name under `campaign.problem.` in the locales. */
export function refuse(problem: string, params?: TextRef['params']): Refused {
  const key = `campaign.problem.${problem}`
  return { type: 'refused', problem: params ? { key, params } : { key } }
}

export const wrongState = (state: CampaignState): Refused => refuse('wrong_state', { state })
