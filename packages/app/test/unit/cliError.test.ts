import { readFileSync } from 'node:fs'
import { libtorrentError, TorrentInfo } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { CliError, messageOf, reasonOf } from '../../src/cliError.ts'

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test("an error of the system is told in words, with its file, and without Node's wording", () => {
  const error = thrownBy(() => readFileSync('/nowhere/at/all'))
  expect(reasonOf(error)).toBe('no such file or directory')
  expect(messageOf(error)).toBe('/nowhere/at/all: no such file or directory')
})

test('codes without words of their own keep those of Node', () => {
  expect(reasonOf(Object.assign(new Error("EIO: i/o error, read '/x'"), { code: 'EIO' }))).toBe('i/o error')
  expect(reasonOf(Object.assign(new Error('connect EWEIRD 1.2.3.4:5'), { code: 'EWEIRD' }))).toBe(
    'connect EWEIRD 1.2.3.4:5',
  )
})

test('connections that fail are told without addresses the user already knows', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  expect(reasonOf(error)).toBe('connection refused')
})

test('an error of a .torrent says where it is', () => {
  expect(reasonOf(TorrentInfo.parse(Buffer.from('d4:infoi1')))).toMatch(/^invalid bencoding: .*byte/)
  expect(reasonOf(libtorrentError('torrentMissingInfo'))).toBe("missing or invalid 'info' section in torrent file")
})

test('words written for the user are not touched', () => {
  expect(messageOf(new CliError('Do this.', 1, { cause: new Error('x') }))).toBe('Do this.')
})

test('whatever is thrown has a text', () => {
  for (const thrown of [undefined, null, 'text', 5, {}, new Error('')]) expect(messageOf(thrown)).not.toBe('')
})

test('what a proxy does not carry is no lack of permission', () => {
  const error = Object.assign(new Error('EPERM: not carried'), { code: 'EPERM', operation: 'proxy' })
  expect(reasonOf(error)).toBe('the proxy does not carry this, and nothing may go past it')
})
