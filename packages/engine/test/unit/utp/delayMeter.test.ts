import { expect, test } from 'vitest'
import { DelayMeter } from '../../../src/utp/delayMeter.ts'
import { UtpCounters } from '../../../src/utp/utpCounters.ts'
import { UtpHeader } from '../../../src/utp/utpHeader.ts'

const BASE_MICROS = 5_000_000

/** What is measured of packets that waited so long, ms; null: a packet that does not say. */
function measured(delays: readonly (number | null)[], utpTargetDelay = 100) {
  const counters = new UtpCounters()
  const meter = new DelayMeter({ settings: { utpTargetDelay }, counters })
  const results = delays.map((delay, i) => {
    const header = new UtpHeader()
    header.timestampDifference = delay === null ? 0 : BASE_MICROS + delay * 1000
    return meter.sample(header, i)
  })
  return { results, counters }
}

test('of the last three delays the least counts', () => {
  expect(measured([0, 80, 90, 100, 70, 200, 300, 400]).results).toEqual([0, 0, 0, 80, 70, 70, 70, 200])
})

test('a packet that tells no delay changes nothing', () => {
  expect(measured([0, null, 50, null, 50, 50]).results).toEqual([0, null, 0, null, 0, 50])
})

test('utp_target_delay divides what is counted', () => {
  const delays = [0, 30, 60, 90, 120]
  for (const [target, above] of [
    [100, 1],
    [50, 3],
    [20, 4],
  ]) {
    const { samplesAboveTarget, samplesBelowTarget } = measured(delays, target).counters
    expect([samplesAboveTarget, samplesBelowTarget]).toEqual([above, delays.length - above])
  }
})
