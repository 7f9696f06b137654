import { FileStorage } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { selectFiles } from '../../src/selectFiles.ts'

function show(): FileStorage {
  const files = new FileStorage()
  files.addFile('show/s01/e01.mkv', 1000)
  files.addFile('show/.pad/24', 24, 1)
  files.addFile('show/s01/e02.mkv', 2000)
  files.addFile('show/readme.txt', 10)
  return files
}

test('without patterns all files are wanted', () => {
  expect(selectFiles(show(), [])).toBeNull()
})

test('only files that match one of the patterns are wanted', () => {
  expect(selectFiles(show(), ['e01.mkv', '*.txt'])).toEqual([4, 0, 0, 4])
})

test("the torrent's own directory may be left out of a path", () => {
  expect(selectFiles(show(), ['s01/e02.mkv'])).toEqual([0, 0, 4, 0])
  expect(selectFiles(show(), ['show/s01/e02.mkv'])).toEqual([0, 0, 4, 0])
})

test('pad files are never selected', () => {
  expect(selectFiles(show(), ['*'])).toEqual([4, 0, 4, 4])
  expect(() => selectFiles(show(), ['.pad/*'])).toThrow('matches no file')
})

test('a pattern that matches nothing is told with the files there are', () => {
  expect(() => selectFiles(show(), ['*.mkv', '*.avi'])).toThrow(
    /--select \*\.avi matches no file of show\. .*show\/s01\/e01\.mkv \(1\.00 kB\), .*show\/readme\.txt/,
  )
})
