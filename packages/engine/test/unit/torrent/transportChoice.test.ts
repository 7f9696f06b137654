import { describe, expect, it } from 'vitest'
import { chooseTransport } from '../../../src/torrent/transportChoice.ts'

const BOTH = { enableOutgoingTcp: true, enableOutgoingUtp: true }
const FAR = { isLocal: false, failcount: 0, supportsUtp: true, confirmedSupportsUtp: false }
const NEAR = { ...FAR, isLocal: true }

describe('Which transport a peer is tried by', () => {
  it('is uTP at first, and TCP once that has failed', () => {
    expect(chooseTransport(FAR, BOTH)).toBe('utp')
    expect(chooseTransport({ ...FAR, supportsUtp: false }, BOTH)).toBe('tcp')
  })

  it('is the one that worked', () => {
    expect(chooseTransport({ ...FAR, supportsUtp: false, confirmedSupportsUtp: true }, BOTH)).toBe('utp')
    expect(chooseTransport({ ...NEAR, confirmedSupportsUtp: true }, BOTH)).toBe('utp')
  })

  it('is TCP at first on our own network, and then each in turn', () => {
    const tried = [0, 1, 2].map((failcount) => chooseTransport({ ...NEAR, failcount }, BOTH))
    expect(tried).toEqual(['tcp', 'utp', 'tcp'])
  })

  it('is the only one that is allowed, or none', () => {
    expect(chooseTransport(FAR, { ...BOTH, enableOutgoingUtp: false })).toBe('tcp')
    const onlyUtp = { enableOutgoingTcp: false, enableOutgoingUtp: true }
    expect(chooseTransport({ ...NEAR, supportsUtp: false }, onlyUtp)).toBe('utp')
    expect(chooseTransport(FAR, { enableOutgoingTcp: false, enableOutgoingUtp: false })).toBeNull()
  })
})
