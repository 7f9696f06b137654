import { expect, test } from 'vitest'
import { OutgoingPorts } from '../../../src/session/outgoingPorts.ts'

const ports = (outgoingPort: number, numOutgoingPorts: number, count: number) => {
  const next = new OutgoingPorts({ outgoingPort, numOutgoingPorts })
  return Array.from({ length: count }, () => next.next().localPort)
}

test('without a first port the system chooses', () => {
  expect(ports(0, 10, 2)).toEqual([undefined, undefined])
})

test('each port of the range has its turn, and none beside them', () => {
  expect(ports(7000, 3, 6).sort()).toEqual([7000, 7000, 7001, 7001, 7002, 7002])
  expect(ports(7000, 0, 2)).toEqual([7000, 7000])
  expect(new Set(ports(65_534, 5, 10))).toEqual(new Set([65_534, 65_535]))
})
