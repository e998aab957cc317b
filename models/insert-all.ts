import mongoose from 'mongoose'

const { MongoBulkWriteError } = mongoose.mongo

/**
 * Inserts documents that have nothing to do with each other in one command. Answers, for each, whether it is new; false
 * means that one with its key was there before. Throws where anything else went wrong, or the majority did not confirm:
 * what was written may then be rolled back, and nobody may be told that it is kept.
 */
export async function insertAll<T extends object>(
  collection: mongoose.Collection,
  documents: T[],
): Promise<boolean[]> {
  try {
    await collection.insertMany(documents as never, { ordered: false })
    return documents.map(() => true)
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    const failed = [error.writeErrors].flat()
    const isOnlyRepeated = failed.length > 0 && failed.every(({ code }) => code === 11000)
    if (!isOnlyRepeated || error.result.getWriteConcernError()) throw error
    const repeated = new Set(failed.map(({ index }) => index))
    return documents.map((_, index) => !repeated.has(index))
  }
}
