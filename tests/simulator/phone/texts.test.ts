import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const folder = new URL('../../../src/simulator/phone/', import.meta.url)
const scripts = readdirSync(folder).filter((name) => name.endsWith('.js') && name !== 'texts.js')

interface TextsModule {
  languages: string[]
  texts: Record<string, Record<string, string>>
  translate(lang: string, key: string, values?: Record<string, string | number>): string
}

// a script of the browser, outside what the compiler of this project reads
const address: string = new URL('texts.js', folder).href
const { languages, texts, translate }: TextsModule = await import(address)

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()

test('every text stands in both languages with the same gaps', () => {
  expect(languages).toEqual(['vi', 'en'])
  for (const [key, text] of Object.entries(texts)) {
    expect(Object.keys(text), key).toEqual(languages)
    for (const lang of languages) expect(text[lang]?.trim(), `${lang} ${key}`).toBeTruthy()
    expect(placeholders(text.en!), key).toEqual(placeholders(text.vi!))
  }
})

test('every key the scripts name is in the table, and nothing else is', () => {
  const prefixes = new Set(Object.keys(texts).map((key) => key.split('.')[0]!))
  const named = new Set<string>()
  for (const name of scripts) {
    for (const [, key] of readFileSync(new URL(name, folder), 'utf8').matchAll(/'([a-z]+\.[a-zA-Z]+)'/g)) {
      if (prefixes.has(key!.split('.')[0]!)) named.add(key!)
    }
  }
  expect([...named].sort()).toEqual(Object.keys(texts).sort())
})

test('a missing key is an error that names it', () => {
  expect(() => translate('vi', 'no.such')).toThrow('No vi text for "no.such"')
})

test('gaps are filled, braces in a value stay as they are', () => {
  expect(translate('vi', 'chat.refused', { reason: '{name}' })).toBe('Zalo không nhận: {name}')
})
