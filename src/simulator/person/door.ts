import type { FastifyPluginAsync } from 'fastify'
import { type ControlDeps, registerControl } from './control-api.ts'
import { answerMistakes, type PersonApiDeps, registerPersonApi } from './person-api.ts'

/** The person door as one plugin: the person API and the controls. Mount it on loopback only: it hands out every role. */
export function createPersonDoor(deps: PersonApiDeps & ControlDeps): FastifyPluginAsync {
  return async (door) => {
    answerMistakes(door)
    // an open stream would keep the server from closing
    door.addHook('preClose', async () => deps.streams.close())
    registerPersonApi(door, deps)
    registerControl(door, deps)
  }
}
