import { describe, expect, test } from 'vitest'
import { defaultSettings, isSettingKey, monthDay, parseSetting, SETTING_DEFINITIONS } from '../../src/registry/settings.ts'

test('every setting that is defined is known, and its default is a value of its type', () => {
  for (const { key } of SETTING_DEFINITIONS) {
    expect(isSettingKey(key), key).toBe(true)
    if (isSettingKey(key)) expect(() => defaultSettings().get(key), key).not.toThrow()
  }
})

test('the defaults are those of the domain', () => {
  const settings = defaultSettings()
  expect(settings.get('quiet.from')).toBe('21:00')
  expect(settings.get('target.CDHT').percent).toBe(60)
  expect(settings.get('denominator.CDHT')).toBeUndefined()
  expect(settings.perMinute()).toEqual({ limit: 100, assumed: true })
  expect(monthDay(settings.get('cut.corrections'))).toBe('01-15')
})

describe('a typed value', () => {
  test.each<[string, string, { source?: string; asOf?: string }, unknown]>([
    ['quiet.to', '6:30', {}, '06:30'],
    ['reminder.per_week', '2', {}, 2],
    ['cut.final', '29/2', {}, '29/2'],
    ['rounding.rule', 'cut', {}, 'cut'],
    ['pass.total.cdht-g1.1', '75', {}, 75],
    ['target.GDHT', '62,8', { source: 'KH' }, { percent: 62.8, source: 'KH' }],
    ['denominator.CDHT', '8480', { source: 'BC', asOf: '2026-06-30' }, { value: 8480, as_of: '2026-06-30', source: 'BC' }],
  ])('%s %s is taken', (key, text, details, value) => {
    expect(parseSetting(key, text, details)).toEqual({ type: 'value', key, value })
  })

  test.each<[string, string, string]>([
    ['toString', '1', 'there is no setting "toString"; "setting list" names them all'],
    ['pass.total.', '1', 'there is no setting "pass.total."; "setting list" names them all'],
    ['quiet.from', '25:00', 'quiet.from: write a time of day as 21:00'],
    ['reminder.per_week', 'two', 'reminder.per_week: write a whole number'],
    ['cut.final', '31/2', 'cut.final: there is no such day'],
    ['rounding.rule', 'up', 'rounding.rule: write half_up or cut'],
    ['target.CDHT', '70', 'target.CDHT: say where the figure comes from: --source "Kế hoạch số … ngày …"'],
    [
      'denominator.GDHT',
      'many',
      'denominator.GDHT: write a whole number; say of which day the figure is: --as-of 2026-11-30; say where the figure comes from: --source "Kế hoạch số … ngày …"',
    ],
  ])('%s %s is refused with the remedy', (key, text, problem) => {
    expect(parseSetting(key, text)).toEqual({ type: 'refused', problem })
  })
})
