/**
 * Writes what Python reads of the world's words: `distill/captions.json` for evaluation, `paraphrases.json.gz` and
 * `phrases.json` for training.
 */
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { evaluationCaptions, trainingParaphrases, trainingPhrases } from '../src/scene/drive/caption-sets'

writeFileSync('distill/captions.json', `${JSON.stringify(evaluationCaptions(), null, 1)}\n`)
writeFileSync('distill/paraphrases.json.gz', gzipSync(JSON.stringify(trainingParaphrases()), { level: 9 }))
writeFileSync('distill/phrases.json', `${JSON.stringify(trainingPhrases(), null, 1)}\n`)
