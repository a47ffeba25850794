/**
 * Writes what Python reads of the world's words: `distill/captions.json` for evaluation, `paraphrases.json` and
 * `phrases.json` for training.
 */
import { writeFileSync } from 'node:fs'
import { evaluationCaptions, trainingParaphrases, trainingPhrases } from '../src/scene/drive/caption-sets'

writeFileSync('distill/captions.json', `${JSON.stringify(evaluationCaptions(), null, 1)}\n`)
writeFileSync('distill/paraphrases.json', `${JSON.stringify(trainingParaphrases(), null, 1)}\n`)
writeFileSync('distill/phrases.json', `${JSON.stringify(trainingPhrases(), null, 1)}\n`)
