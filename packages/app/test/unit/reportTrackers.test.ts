import { EventEmitter } from 'node:events'
import type { Session } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { Output } from '../../src/output/output.ts'
import { reportTrackers } from '../../src/transfer/statusReport.ts'

function scene() {
  const lines: string[] = []
  const stream = { isTTY: false, columns: 80, write: (text: string) => lines.push(text.trimEnd()) }
  const output = new Output(stream, stream, { json: false, debug: false, unicode: false, dumb: false })
  const session = new EventEmitter()
  reportTrackers(session as unknown as Session, output)
  const fails = (url: string, code: string, message: string) => {
    const error = Object.assign(new Error(message), {
      code,
      category: 'libtorrent',
      is: (other: string) => other === code,
    })
    session.emit('trackerError', { url, error, msg: '' })
  }
  return { lines, fails }
}

test('each complaint of a tracker is told once', () => {
  const { lines, fails } = scene()
  fails('http://a/', 'timedOut', 'timed out')
  fails('http://a/', 'timedOut', 'timed out')
  fails('http://b/', 'timedOut', 'timed out')
  expect(lines).toEqual(['lt: warning: Tracker http://a/: timed out', 'lt: warning: Tracker http://b/: timed out'])
})

test('what has to be installed is told once, whatever the number of trackers that need it', () => {
  const { lines, fails } = scene()
  const message = 'WebSocket trackers need ws (npm install ws)'
  for (const url of ['wss://a/', 'wss://b/', 'wss://a/']) fails(url, 'unsupportedUrlProtocol', message)
  expect(lines).toEqual([`lt: warning: ${message}`])
})

test('what trackers in I2P lack is told once: a router, or its session', () => {
  const without = scene()
  for (const url of ['http://a.i2p/', 'http://b.i2p/']) without.fails(url, 'noI2pRouter', 'no i2p router is set up')
  expect(without.lines).toEqual([expect.stringMatching(/^lt: warning: Trackers in I2P take a router .* --i2p/)])
  const waiting = scene()
  for (const url of ['http://a.i2p/', 'http://b.i2p/']) {
    waiting.fails(url, 'noI2pRouter', 'the session with the i2p router is not there yet')
  }
  expect(waiting.lines).toEqual([expect.stringMatching(/^lt: warning: The I2P router is making a session for us/)])
})
