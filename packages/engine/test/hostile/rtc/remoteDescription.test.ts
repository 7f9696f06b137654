import { expect, test } from 'vitest'
import { cleanDescription } from '../../../src/rtc/remoteDescription.ts'
import { sdp } from '../../unit/rtc/fakeWebRtc.ts'

// Hostile inputs, line 53: each line of a stranger's description may have us send packets somewhere.

/** What is kept of `line` in a description that is good by itself. */
function kept(line: string): string[] {
  const good = sdp('198.51.100.9')
  const clean = cleanDescription(`${good.trimEnd()}\r\n${line}\r\n`, () => true)
  const before = cleanDescription(good, () => true)?.split('\r\n') ?? []
  return (clean?.split('\r\n') ?? []).filter((each) => !before.includes(each))
}

const candidate = (fields: string) => `a=candidate:7 ${fields} typ host`

test('a candidate of UDP is kept', () => {
  const line = candidate('1 UDP 2130706431 203.0.113.5 5000')
  expect(kept(line)).toEqual([line])
})

test.each([
  ['of TCP', candidate('1 TCP 2130706431 203.0.113.5 22')],
  ['of another component', candidate('2 UDP 2130706431 203.0.113.5 5000')],
  ['with a port that nobody has', candidate('1 UDP 2130706431 203.0.113.5 0')],
  ['with a port beyond all', candidate('1 UDP 2130706431 203.0.113.5 65536')],
  ['with a port that is no number', candidate('1 UDP 2130706431 203.0.113.5 5e3')],
  ['with a name', candidate('1 UDP 2130706431 router.local 5000')],
  ['without an address', candidate('1 UDP 2130706431')],
  ['that was chosen for us', 'a=remote-candidates:1 203.0.113.5 5000'],
])('a candidate %s is left out', (_what, line) => {
  expect(kept(line)).toEqual([])
})
