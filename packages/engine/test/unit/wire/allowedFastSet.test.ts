import { describe, expect, test } from 'vitest'
import { allowedFastSet } from '../../../src/wire/allowedFastSet.ts'

const infoHash = new Uint8Array(20).fill(0xaa)

describe('allowedFastSet', () => {
  // BEP 6 hashes 80.4.4.0, the network of its example peer 80.4.4.200. Given that address whole, the rest must agree.
  test('BEP 6: the example set of 7 and of 9 pieces out of 1313', () => {
    const set = [1059, 431, 808, 1217, 287, 376, 1188, 353, 508]
    expect(allowedFastSet('80.4.4.0', infoHash, 1313, 7)).toEqual(set.slice(0, 7))
    expect(allowedFastSet('80.4.4.0', infoHash, 1313, 9)).toEqual(set)
  })

  test('unlike in BEP 6, two peers of one /24 get sets of their own', () => {
    expect(allowedFastSet('80.4.4.200', infoHash, 1313, 7)).not.toEqual(allowedFastSet('80.4.4.0', infoHash, 1313, 7))
  })

  test('IPv6 peers have a set too, and the last bytes of the address count', () => {
    const set = allowedFastSet('2001:db8::1', infoHash, 1313, 7)
    expect(new Set(set).size).toBe(7)
    expect(allowedFastSet('2001:db8::2', infoHash, 1313, 7)).not.toEqual(set)
  })

  test('a torrent with no more pieces than the set has them all in it', () => {
    expect(allowedFastSet('10.0.0.1', infoHash, 3, 5)).toEqual([0, 1, 2])
    expect(allowedFastSet('10.0.0.1', infoHash, 0, 5)).toEqual([])
    expect(allowedFastSet('10.0.0.1', infoHash, 10, 0)).toEqual([])
  })

  test('all but one of the pieces are found without repetition', () => {
    expect(new Set(allowedFastSet('10.0.0.1', infoHash, 10, 9)).size).toBe(9)
  })
})
