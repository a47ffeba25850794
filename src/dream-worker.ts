/** The worker of a dream, with what is known of worlds. */
import './worlds'
import './model/worker/worker'
