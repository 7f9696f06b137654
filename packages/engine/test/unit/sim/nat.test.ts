import { expect, test } from 'vitest'
import { type NatKind, type NatOptions, SimNat } from '../../../sim/simNat.ts'
import { VirtualTime } from '../../../sim/virtualTime.ts'

const INSIDE = { address: '192.168.1.2', port: 6881 }
const ONE = { address: '60.0.0.1', port: 1000 }
const SAME_ADDRESS = { address: '60.0.0.1', port: 2000 }
const OTHER = { address: '60.0.0.2', port: 1000 }

function nat(kind: NatKind, options: Partial<NatOptions> = {}) {
  const time = new VirtualTime()
  return { time, nat: new SimNat(time, { kind, externalAddress: '70.0.0.1', ...options }) }
}

test.each<[NatKind, boolean, boolean]>([
  ['fullCone', true, true],
  ['addressRestricted', true, false],
  ['portRestricted', false, false],
  ['symmetric', false, false],
  ['firewall', false, false],
])('%s: who was sent something may answer; from another port %s, from elsewhere %s', (kind, otherPort, elsewhere) => {
  const { nat: router } = nat(kind)
  const outside = router.leave(INSIDE, ONE)
  expect(router.enter(outside, ONE)).toEqual(INSIDE)
  expect(router.enter(outside, SAME_ADDRESS)).toEqual(otherPort ? INSIDE : null)
  expect(router.enter(outside, OTHER)).toEqual(elsewhere ? INSIDE : null)
})

test('nothing comes in unless something went out', () => {
  const { nat: router } = nat('fullCone')
  expect(router.enter({ address: '70.0.0.1', port: 6881 }, ONE)).toBe(null)
  expect(router.dropped).toBe(1)
})

test('one port outside for all, of a symmetric one another for each', () => {
  const { nat: cone } = nat('portRestricted')
  expect(cone.leave(INSIDE, OTHER)).toEqual(cone.leave(INSIDE, ONE))
  const { nat: symmetric } = nat('symmetric')
  expect(symmetric.leave(INSIDE, OTHER)).not.toEqual(symmetric.leave(INSIDE, ONE))
  expect(symmetric.leave(INSIDE, ONE)).toEqual(symmetric.leave(INSIDE, ONE))
})

test('a firewall translates nothing, and a port may be kept', () => {
  expect(nat('firewall').nat.leave(INSIDE, ONE)).toEqual(INSIDE)
  expect(nat('fullCone', { keepsPorts: true }).nat.leave(INSIDE, ONE)).toEqual({ address: '70.0.0.1', port: 6881 })
})

test('packets out keep a mapping, packets in do not', () => {
  const { time, nat: router } = nat('portRestricted', { timeout: 30_000 })
  const outside = router.leave(INSIDE, ONE)
  time.run({ seconds: 20 })
  expect(router.leave(INSIDE, ONE)).toEqual(outside)
  time.run({ seconds: 20 })
  expect(router.enter(outside, ONE)).toEqual(INSIDE)
  time.run({ seconds: 20 })
  expect(router.enter(outside, ONE)).toBe(null)
})
