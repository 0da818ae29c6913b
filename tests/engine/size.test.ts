import { expect, test } from 'vitest'
import { measureEngine } from '../bench/engine.ts'

test('what is kept of somebody in a form of 100 questions fits 2 KB', () => {
  expect(measureEngine(100, 10).stateBytes).toBeLessThanOrEqual(2_048)
})
