import fc from 'fast-check'
import { expect, test } from 'vitest'
import { collisionKey } from '../../../src/metainfo/collisionKey.ts'
import { FileStorage } from '../../../src/metainfo/fileStorage.ts'
import { collidingPaths, PathIndex } from '../../../src/metainfo/pathIndex.ts'

const part = fc.constantFrom('a', 'A', 'b', 'é', 'e\u0301', 'a.')
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))

/** The rule itself: neither is the other, nor a directory the other lies in. */
function meet(one: string, two: string): boolean {
  const [a, b] = [collisionKey(one), collisionKey(two)]
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}

test('the entries that meet another are found, and no others', () => {
  fc.assert(
    fc.property(fc.array(fc.option(path), { maxLength: 8 }), (paths) => {
      const expected = paths.flatMap((each, i) => {
        const meets = paths.some((other, j) => i !== j && each !== null && other !== null && meet(each, other))
        return meets ? [i] : []
      })
      expect([...collidingPaths(paths)]).toEqual(expected)
    }),
  )
})

test('a path is taken exactly while another file has it, lies below it, or is one of its directories', () => {
  const steps = fc.array(fc.record({ file: fc.nat(3), path, keepsOld: fc.boolean() }), { maxLength: 20 })
  fc.assert(
    fc.property(steps, (history) => {
      const files = new FileStorage()
      for (let i = 0; i < 4; i++) files.addFile(`root/${i}`, 1)
      const index = new PathIndex(files)
      const model = Array.from({ length: 4 }, (_, i) => [`root/${i}`])
      for (const { file, path, keepsOld } of history) {
        const ownKeys = model[file].map(collisionKey)
        const key = collisionKey(path)
        const isTaken = ownKeys.includes(key) ? false : model.flat().some((other) => meet(other, path))
        expect(index.isTaken(path, file)).toBe(isTaken)
        if (isTaken) continue
        index.add(path, file)
        model[file].push(path)
        if (keepsOld) continue
        for (const old of model[file].splice(0, model[file].length - 1)) index.remove(old)
      }
    }),
    { numRuns: 500 },
  )
})
