/** What is known of worlds beyond their manifests. Whatever opens dreams imports it once. */
import { registerTask } from './engine/task'
import { DRIVE_TASK } from './scene/drive/telemetry'

registerTask('drive', DRIVE_TASK)
