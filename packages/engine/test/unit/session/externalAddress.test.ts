import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { ExternalAddress } from '../../../src/session/externalAddress.ts'

const OLD = '99.0.0.1'
const NEW = '99.0.0.2'

function scene() {
  const time = new VirtualTime()
  const external = new ExternalAddress(time)
  /** The numbers of voters that changed the outcome. */
  const votes = (address: string, from: number, to: number) => {
    const changed: number[] = []
    for (let i = from; i < to; i++) if (external.vote(address, `70.0.0.${i}`)) changed.push(i)
    return changed
  }
  return { time, external, votes }
}

test('one voter decides nothing, two that agree do, and each has one vote', () => {
  const { external, votes } = scene()
  for (let i = 0; i < 10; i++) expect(votes(OLD, 0, 1)).toEqual([])
  expect(external.address(false)).toBe(null)
  expect(votes(OLD, 1, 2)).toEqual([1])
  expect(external.address(false)).toBe(OLD)
})

test('a few liars change nothing, and neither do addresses nobody else can reach', () => {
  const { external, votes } = scene()
  votes(OLD, 0, 10)
  expect(votes(NEW, 10, 20)).toEqual([])
  expect(votes('192.168.0.7', 20, 50)).toEqual([])
  expect(external.address(false)).toBe(OLD)
})

test('the families are elected apart', () => {
  const { external, votes } = scene()
  votes(OLD, 0, 2)
  expect(votes('2001:db8::7', 2, 4)).toEqual([3])
  expect([external.address(false), external.address(true)]).toEqual([OLD, '2001:db8::7'])
})

test('what many saw long ago gives way to what few see now', () => {
  const { time, external, votes } = scene()
  votes(OLD, 0, 40)
  time.run({ minutes: 19 })
  expect(votes(NEW, 100, 102)).toEqual([])
  time.run({ minutes: 2 })
  expect(votes(NEW, 100, 102)).toEqual([100])
  expect(external.address(false)).toBe(NEW)
})

test('fifty new voters outvote whatever was before', () => {
  const { external, votes } = scene()
  votes(OLD, 0, 100)
  votes(NEW, 100, 150)
  expect(external.address(false)).toBe(NEW)
})
