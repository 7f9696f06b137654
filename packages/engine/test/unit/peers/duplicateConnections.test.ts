import { describe, expect, test } from 'vitest'
import { closesNewOfSamePeerId, resolveDuplicateConnection } from '../../../src/peers/duplicateConnections.ts'

const UNKNOWN = new Uint8Array(20)
const LOW = new Uint8Array(20).fill(1)
const HIGH = new Uint8Array(20).fill(2)

/** Two clients that connected to each other at the same time, as each of them sees it. A has the lower id. */
function bothSides(portA: number, portB: number) {
  const a = { address: '1.0.0.1', port: portA }
  const b = { address: '1.0.0.2', port: portB }
  const fromA = { address: a.address, port: 41_000 }
  const fromB = { address: b.address, port: 42_000 }
  return {
    a: {
      opened: { remote: b, local: fromA, isOutgoing: true, peerId: UNKNOWN },
      accepted: { remote: fromB, local: a, isOutgoing: false, peerId: HIGH },
    },
    b: {
      opened: { remote: a, local: fromB, isOutgoing: true, peerId: UNKNOWN },
      accepted: { remote: fromA, local: b, isOutgoing: false, peerId: LOW },
    },
  }
}

describe('two connections to one peer', () => {
  test.each([
    [6881, 6882],
    [7000, 6882],
  ])(
    'listening on %i and %i, both sides keep the one the lower port opened, whichever they saw first',
    (portA, portB) => {
      const { a, b } = bothSides(portA, portB)
      const aKeepsItsOwn = portA < portB
      expect(resolveDuplicateConnection(a.opened, a.accepted, false, LOW)).toBe(
        aKeepsItsOwn ? 'keepExisting' : 'keepNew',
      )
      expect(resolveDuplicateConnection(a.accepted, a.opened, false, LOW)).toBe(
        aKeepsItsOwn ? 'keepNew' : 'keepExisting',
      )
      expect(resolveDuplicateConnection(b.opened, b.accepted, false, HIGH)).toBe(
        aKeepsItsOwn ? 'keepNew' : 'keepExisting',
      )
      expect(resolveDuplicateConnection(b.accepted, b.opened, false, HIGH)).toBe(
        aKeepsItsOwn ? 'keepExisting' : 'keepNew',
      )
    },
  )

  test('of two made by hole punching both sides keep the one the greater peer id opened, whatever the ports', () => {
    const { a, b } = bothSides(6881, 20_000)
    const opened = { ...a.opened, isHolepunched: true }
    const openedByB = { ...b.opened, isHolepunched: true }
    expect(resolveDuplicateConnection(opened, a.accepted, false, LOW)).toBe('keepNew')
    expect(resolveDuplicateConnection(a.accepted, opened, false, LOW)).toBe('keepExisting')
    expect(resolveDuplicateConnection(openedByB, b.accepted, false, HIGH)).toBe('keepExisting')
    expect(resolveDuplicateConnection(b.accepted, openedByB, false, HIGH)).toBe('keepNew')
  })

  test('a punched connection that does not stand yet never stays', () => {
    const { b } = bothSides(6881, 20_000)
    const opened = { ...b.opened, local: null, isHolepunched: true }
    expect(resolveDuplicateConnection(opened, b.accepted, false, HIGH)).toBe('keepNew')
    expect(resolveDuplicateConnection(b.accepted, opened, false, HIGH)).toBe('keepExisting')
  })

  test('listening on equal ports, both sides keep the one the greater peer id opened', () => {
    const { a, b } = bothSides(6881, 6881)
    expect(resolveDuplicateConnection(a.opened, a.accepted, false, LOW)).toBe('keepNew')
    expect(resolveDuplicateConnection(a.accepted, a.opened, false, LOW)).toBe('keepExisting')
    expect(resolveDuplicateConnection(b.opened, b.accepted, false, HIGH)).toBe('keepExisting')
    expect(resolveDuplicateConnection(b.accepted, b.opened, false, HIGH)).toBe('keepNew')
  })

  test('one that is failing never stays', () => {
    const { a } = bothSides(6881, 6882)
    expect(resolveDuplicateConnection(a.opened, a.accepted, true, LOW)).toBe('keepNew')
  })

  test('one we are still connecting, which has no local end yet, is judged all the same', () => {
    const { a } = bothSides(6881, 6882)
    expect(resolveDuplicateConnection({ ...a.opened, local: null }, a.accepted, false, LOW)).toBe('keepExisting')
  })

  test('of two in one direction the first stays', () => {
    const { a } = bothSides(6881, 6882)
    const another = { ...a.accepted, remote: { address: '1.0.0.2', port: 43_000 } }
    expect(resolveDuplicateConnection(a.accepted, another, false, LOW)).toBe('keepExisting')
  })

  test('two ends of one connection are a connection to ourselves', () => {
    const own = { address: '1.0.0.1', port: 6881 }
    const from = { address: '1.0.0.1', port: 41_000 }
    const opened = { remote: own, local: from, isOutgoing: true, peerId: UNKNOWN }
    const accepted = { remote: from, local: own, isOutgoing: false, peerId: LOW }
    expect(resolveDuplicateConnection(opened, accepted, false, LOW)).toBe('selfConnection')
  })
})

describe('two connections with one peer id', () => {
  test('both sides close the one that the side with the lower id opened', () => {
    // Seen by the higher id: a new incoming one was opened by the lower id.
    expect(closesNewOfSamePeerId(HIGH, LOW, false)).toBe(true)
    expect(closesNewOfSamePeerId(HIGH, LOW, true)).toBe(false)
    expect(closesNewOfSamePeerId(LOW, HIGH, true)).toBe(true)
    expect(closesNewOfSamePeerId(LOW, HIGH, false)).toBe(false)
  })
})
