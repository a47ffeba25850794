/** Writes distill/captions.json: how evaluation says each setting, in trained and in unseen words. */
import { writeFileSync } from 'node:fs'
import { evaluationCaptions } from '../src/scene/drive/evaluation-captions'

writeFileSync('distill/captions.json', `${JSON.stringify(evaluationCaptions(), null, 1)}\n`)
