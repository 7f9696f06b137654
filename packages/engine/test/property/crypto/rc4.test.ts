import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rc4 } from '../../../src/crypto/rc4.ts'
import { makeRc4Workbench, rc4Workbench } from '../../../src/crypto/rc4Workbench.ts'
import { sha1 } from '../../../src/crypto/sha1.ts'

test('WebAssembly and JavaScript give the same key stream, whatever the key and however it is cut', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 256 })
  const sizes = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(key, sizes, fc.nat(2000), (key, sizes, discard) => {
      const digests = [rc4Workbench(), makeRc4Workbench()].map((bench) => {
        const cipher = new Rc4(key, discard, bench)
        return sizes.map((size, i) => {
          const bytes = new Uint8Array(size).fill(i)
          if (i % 2 === 0) return sha1(cipher.turnedView(bytes)).toHex()
          const out = new Uint8Array(size)
          cipher.turnInto(bytes, out, 0)
          return sha1(out).toHex()
        })
      })
      expect(digests[0]).toEqual(digests[1])
    }),
    { numRuns: 100 },
  )
})
