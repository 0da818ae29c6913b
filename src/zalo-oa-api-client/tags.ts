import { z } from 'zod'
import type { Call } from './call.ts'
import { readData } from './read-data.ts'

export type Tags = {
  /** The names of all tags of the account. */
  listTags(): Promise<string[]>
  /** Puts a tag on a person, creating it where needed. Safe to repeat. */
  tagUser(userId: string, tagName: string): Promise<void>
  /** Takes a tag from a person. Safe to repeat. */
  untagUser(userId: string, tagName: string): Promise<void>
  /** Removes a tag from the account and everybody who has it. */
  deleteTag(tagName: string): Promise<void>
}

const TagNames = z.array(z.string()).default([])

export function createTags(call: Call): Tags {
  async function post(name: string, json: unknown): Promise<void> {
    await call({ method: 'POST', host: 'oa', path: `/v2.0/oa/tag/${name}`, json, repeatable: true })
  }
  return {
    async listTags() {
      const path = '/v2.0/oa/tag/gettagsofoa'
      const { data } = await call({ method: 'GET', host: 'oa', path, repeatable: true })
      return readData(TagNames, data, `GET ${path}`)
    },
    tagUser: (userId, tagName) => post('tagfollower', { user_id: userId, tag_name: tagName }),
    untagUser: (userId, tagName) => post('rmfollowerfromtag', { user_id: userId, tag_name: tagName }),
    deleteTag: (tagName) => post('rmtag', { tag_name: tagName }),
  }
}
