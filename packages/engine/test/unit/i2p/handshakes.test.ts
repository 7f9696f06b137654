import { describe, expect, test } from 'vitest'
import { testAddress, testDestination } from '../../../sim/samBridge.ts'
import { SamAccept } from '../../../src/i2p/samAccept.ts'
import { SamConnect } from '../../../src/i2p/samConnect.ts'
import { SamCreate } from '../../../src/i2p/samCreate.ts'
import type { ProxyHandshake } from '../../../src/proxy/proxyHandshake.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'

const BOB = testDestination('bob')
const TUNNELS = {
  i2pInboundQuantity: 1,
  i2pOutboundQuantity: 2,
  i2pInboundLength: 3,
  i2pOutboundLength: 4,
  i2pInboundLengthVariance: -1,
  i2pOutboundLengthVariance: 0,
}

/** What the client says to each of the bridge's words, and what becomes of it. */
function talk(handshake: ProxyHandshake, ...said: string[]): string[] {
  const log = [latin1(handshake.start())]
  for (const words of said) {
    const step = handshake.push(fromLatin1(words))
    if (step.name === 'wait') log.push(step.send === null ? '...' : latin1(step.send))
    else if (step.name === 'done') log.push(`done, rest '${latin1(step.rest)}'`)
    else log.push(`${step.error.category} ${step.error.code} ${step.error.operation}`)
  }
  return log
}

const HELLO = 'HELLO VERSION MIN=3.0 MAX=3.1\n'
const WELCOME = 'HELLO REPLY RESULT=OK VERSION=3.1\n'

describe('a session', () => {
  test('is made with a destination of its own, and asks for its name', () => {
    const create = new SamCreate('id', TUNNELS)
    const log = talk(
      create,
      WELCOME,
      `SESSION STATUS RESULT=OK DESTINATION=${BOB}private\n`,
      `NAMING REPLY RESULT=OK NAME=ME VALUE=${BOB}\n`,
    )
    expect(log).toEqual([
      HELLO,
      'SESSION CREATE STYLE=STREAM ID=id DESTINATION=TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4,0 inbound.quantity=1 outbound.quantity=2 inbound.length=3 outbound.length=4 inbound.lengthVariance=-1 outbound.lengthVariance=0\n',
      'NAMING LOOKUP NAME=ME\n',
      "done, rest ''",
    ])
    expect([create.destination, create.address]).toEqual([BOB, testAddress(BOB)])
  })

  test.each([
    ['DUPLICATED_ID', 'duplicatedId'],
    ['I2P_ERROR', 'i2pError'],
    ['WHATEVER', 'i2pError'],
    ['constructor', 'i2pError'],
  ])('that is refused with %s fails, and that is the router', (result, code) => {
    const log = talk(new SamCreate('id', TUNNELS), WELCOME, `SESSION STATUS RESULT=${result}\n`)
    expect(log.at(-1)).toBe(`i2p ${code} proxy`)
  })
})

describe('a stream to somebody', () => {
  test('known in full is opened at once, and what comes behind the answer is theirs', () => {
    expect(talk(new SamConnect('id', BOB), WELCOME, 'STREAM STATUS RESULT=OK\nhello')).toEqual([
      HELLO,
      `STREAM CONNECT ID=id DESTINATION=${BOB} SILENT=false\n`,
      "done, rest 'hello'",
    ])
  })

  test.each([testAddress(BOB), 'bob.i2p'])('known as %s is looked up first', (name) => {
    const reply = `NAMING REPLY RESULT=OK NAME=${name} VALUE=${BOB}\n`
    expect(talk(new SamConnect('id', name), WELCOME, reply)).toEqual([
      HELLO,
      `NAMING LOOKUP NAME=${name}\n`,
      `STREAM CONNECT ID=id DESTINATION=${BOB} SILENT=false\n`,
    ])
  })

  test('whose base 32 name the router answers with another destination is not opened', () => {
    const reply = `NAMING REPLY RESULT=OK VALUE=${testDestination('eve')}\n`
    expect(talk(new SamConnect('id', testAddress(BOB)), WELCOME, reply).at(-1)).toBe('i2p parseFailed proxy')
  })

  test.each([
    ['CANT_REACH_PEER', 'cantReachPeer connect'],
    ['TIMEOUT', 'timeout connect'],
    ['INVALID_KEY', 'invalidKey connect'],
    ['INVALID_ID', 'invalidId proxy'],
    ['I2P_ERROR', 'i2pError proxy'],
  ])('that fails with %s says whose fault it is', (result, expected) => {
    const log = talk(new SamConnect('id', BOB), WELCOME, `STREAM STATUS RESULT=${result} MESSAGE="so it is"\n`)
    expect(log.at(-1)).toBe(`i2p ${expected}`)
  })
})

describe('waiting for somebody', () => {
  test('lasts until the router names them, in the same packet or much later', () => {
    const accept = new SamAccept('id')
    expect(talk(accept, WELCOME, `STREAM STATUS RESULT=OK\n${BOB} FROM_PORT=1 TO_PORT=2\nhello`)).toEqual([
      HELLO,
      'STREAM ACCEPT ID=id SILENT=false\n',
      "done, rest 'hello'",
    ])
    expect(accept.address).toBe(testAddress(BOB))
    const later = new SamAccept('id')
    expect(talk(later, WELCOME, 'STREAM STATUS RESULT=OK\n', BOB.slice(0, 9), `${BOB.slice(9)}\n`).slice(2)).toEqual([
      '...',
      '...',
      "done, rest ''",
    ])
  })

  test('ends with who is no destination', () => {
    expect(talk(new SamAccept('id'), WELCOME, 'STREAM STATUS RESULT=OK\n', 'somebody\n').at(-1)).toBe(
      'i2p parseFailed proxy',
    )
  })
})

describe('a router that', () => {
  const all = [
    ['connects', () => new SamConnect('id', BOB)],
    ['accepts', () => new SamAccept('id')],
    ['creates', () => new SamCreate('id', TUNNELS)],
  ] as const
  test.each(all)('speaks another language (%s)', (_, make) => {
    for (const garbage of ['HTTP/1.1 400 Bad Request\r\n', '\n', '\0\0\0\n', 'STREAM STATUS RESULT=OK\n']) {
      expect(talk(make(), garbage).at(-1)).toBe('i2p parseFailed proxy')
    }
  })

  test.each(all)('answers before it was asked (%s)', (_, make) => {
    expect(talk(make(), `${WELCOME}STREAM STATUS RESULT=OK\n`).at(-1)).toBe('i2p parseFailed proxy')
  })

  test.each(all)('has only other versions (%s)', (_, make) => {
    expect(talk(make(), 'HELLO REPLY RESULT=NOVERSION\n').at(-1)).toBe('i2p i2pError proxy')
  })

  test.each(all)('never ends its line (%s)', (_, make) => {
    const log = talk(make(), ...Array.from({ length: 9 }, () => 'x'.repeat(1000)))
    expect(log.slice(1, 9)).toEqual(Array.from({ length: 8 }, () => '...'))
    expect(log.at(-1)).toBe('i2p parseFailed proxy')
  })
})
