/** Further words for times of day, in captions that only text is made of: see more-words.ts. */
import type { TimeOfDay } from './labels'
import { type Lexicon, lexicon } from './lexicon'

export const MORE_TIME_WORDS: Record<TimeOfDay, Lexicon> = {
  dawn: lexicon(
    `in the first rays of the sun | at the earliest hour of light | when the farm animals wake | with a pale
    sky in the east | in the faint light of a new day | as the eastern sky brightens | before the town is awake
    | when the alarm clock rings | at half past five in the morning | as the milkman comes | in the soft rose
    of the morning | as the night ends | with the day just born | on a morning commute | as the sun climbs out
    of bed | in the glow before the sun is up | on a dewy morning | with the last stars going out | in the hush
    before the day | with the first birdsong | at sun-up | as it gets light | at seven in the morning | as the
    sky lightens | with the sun rising | on a new morning | just before sunrise | soon after sunrise | at the
    opening of the day | as morning breaks | in the morning glow | bright and early | at an early hour | on an
    early morning | as joggers go out | on the way to work | on the school run | as I wake up | at breakfast |
    with my first coffee | at a quarter to six | at 7 am | at eight o'clock in the morning | as the sun lifts
    over the hills | while the sun climbs | with the sun low in the east | facing the rising sun | with a
    beautiful sunrise | as a new day dawns | when the day is young | as the night fades | when the stars fade |
    with pink clouds in the east | in a golden sunrise | in pale morning light | as larks sing | with birds
    singing | at reveille | as the day gets going | as daylight arrives | when the sun first shows | at
    cockcrow | at first light | at 6:15 am | at 5:45 am | at 6 am | at 0600 hours | at oh six hundred | at 8
    am | at half past seven am | at matins | at lauds | at fajr | at the muezzin's first call | at morning
    assembly | before school | before the office opens | during morning rush hour | over toast and marmalade
    | over porridge | over cornflakes | with bacon and eggs | with croissants and cappuccino | with a bowl of
    muesli | with pancakes on the griddle | with orange juice and cereal | while the kettle boils | when
    bakeries open | with rolls from the oven | when newspapers are delivered | on a paper round | as
    fishermen set out | at the fish market | when bin lorries come | as street sweepers start | when the
    bugle wakes us | at wake-up time | on getting up | straight out of bed | still in pyjamas | in my
    dressing gown | rubbing sleepy eyes | yawning and stretching | with bleary eyes | with bed hair | while
    brushing my teeth | hitting the snooze button | as curtains open | as blinds go up | as the sun stirs |
    as the sun awakens | as Apollo's chariot departs | as the east reddens | as the east glows | with the
    morning star | as the dark thins | as night retreats | as black turns to grey | as blackness pales | as
    the horizon blushes | under a blushing sky | under peach-coloured skies | under a salmon sky | in pearly
    light | in apricot light | in nascent light | with daylight trickling in | as daylight creeps in | as
    light returns | when the day is new | at the birth of day | in the cradle of day | on the doorstep of day
    | at the hour of blackbirds | with the dawn chorus | when robins sing | when thrushes sing | as sparrows
    chirp | when wrens pipe up | as petals unfold | as morning glories open | as dewdrops glisten | with dew
    underfoot | with dewy cobwebs | at sun salutation | on a jog before work | at tai chi hour | when
    commuters set off | on the first train | when night shift ends | as owls go home | when vampires must
    hide | after an all-nighter | when the party finally ends | good morning everyone | rise and shine |
    wakey wakey | catching the worm | up with the lark | up with the chickens | to Grieg's Morning Mood |
    here comes the sun | morning has broken | Good Morning Vietnam | in the forenoon | in mid-morning | on
    the morning after | ridiculously early | too early for words | before anyone is up | before the crowds |
    when toddlers wake | letting the chickens out | with a whole day ahead | on a brand-new day | tomorrow
    morning | on Monday morning | on Sunday morning | one May morning | on Easter morning | clocking in |
    with eyes half open | as the duty nurse leaves | for a dip before breakfast | shaving before work |
    packing the kids' satchels | as trams start running | with the radio alarm on | on the milk train | over
    the day's first espresso | with the crossword and coffee`,
    `rose-coloured morning | dewy | aurora | first-morning | pale-pink | sun-waking | brightening | newborn-day
    | day-beginning | predawn | pastel morning | early-day | sunrise-lit | dawning | just-woken | morning-fresh
    | breakfast-time | half-awake | birdsong | new-morning | early-sun | bright-and-early | sunrise-coloured
    | matinal | matutinal | auroral | blush-pink | blushing | peach-lit | peachy | salmon-pink |
    apricot-skied | pearl-lit | pale-gold | lemon-lit | first-light | first-ray | cockcrow | lark-sung |
    blackbird-sung | sparrow-chirping | dawn-chorus | dawn-pink | dawn-lit | dawn-grey | sunrise-pink |
    morning-gold | morning-pink | early-morning | crack-of-dawn | break-of-day | pre-sunrise | pre-work |
    before-school | pre-commute | alarm-clock | snooze-button | wake-up | rise-and-shine | just-risen |
    newly-risen | nascent | new-lit | awakening | sleepy-eyed | bleary-eyed | yawning | pyjama-clad |
    coffee-scented | toast-scented | porridge | cornflakes | bacon-and-egg | croissant | paper-round |
    bakery-hour | seven am | five am | half-past-six am | 6 am | forenoon | dew-wet | dew-spangled |
    dew-fresh | east-glowing | sun-cresting | sun-climbing | night-ending | dark-lifting | star-fading | fajr
    | toothbrushing | just-up`,
  ),
  noon: lexicon(
    `when the sun stands right above | with the sun straight up | with the sun directly above us | while people
    eat their midday meal | at the day's warmest | with sunbeams everywhere | in the full day | under the white
    sun | at one o'clock in the day | at half past twelve | on a sunny day | in a flood of daylight | when it
    is as bright as it gets | with the sun in the middle of the sky | at siesta time | in the middle hours | in
    broad day | with hardly a shadow | at the height of the day | at the peak of the day | when the clock
    strikes twelve | with the sun at its zenith | in the midday heat | in the noon sun | in the bright sun | on
    a bright day | on a bright afternoon | on a summer's day | in summer sun | on a hot afternoon | on a lazy
    afternoon | at 3 pm | at three in the afternoon | around one in the afternoon | well into the day | in full
    brightness | under a bright sun | under a blazing sun | under a hot sun | under a yellow sun | with the sun
    high in the sky | in harsh light | in vivid light | in the glare of the sun | in white light | by daylight
    | in daylight hours | in the daytime | in the noonday sun | during working hours | during the school day |
    while shops are open | at picnic time | with sunglasses on | while it is light | with everything bright |
    in brilliant light | at the day's midpoint | in radiant daylight | when the sun is strong | over a
    sandwich | at the canteen | with soup and sandwiches | at brunch | at half twelve | at 12 pm | at 12:30
    pm | at 1:15 pm | at 2 pm | at 2:30 pm | at quarter past twelve | at ten to one pm | at twelve hundred
    hours | at 1300 hours | at 4 pm | at four in the afternoon | in the afternoon slump | during an afternoon
    nap | at dhuhr | at the Angelus bell | at the noon gun | as bells ring twelve | when both hands point up
    | with the sundial at twelve | with shadows underfoot | with shadows tiny | with stubby shadows | without
    shadows | at solar maximum | at culmination | at the meridian | with Ra enthroned | with Helios at his
    summit | at the sun's apex | with the sun vertical | beneath a perpendicular sun | beneath a merciless
    sun | beneath a fierce sun | with the sun beating down | squinting in the glare | shielding my eyes |
    with the visor down | with a parasol | wearing a straw hat | wearing a sunhat | slathered in sunscreen |
    with factor fifty on | getting a tan | while sunbathing | on sun loungers | while sunbathers roast | when
    beaches are packed | during swimming pool hours | with kids at recess | at playtime | in the fourth
    lesson | between breakfast and dinner | with offices busy | in business hours | during banking hours |
    nine to five | while traffic wardens patrol | with museums open | with town hall counters open | while
    solar panels peak | at peak solar output | with plants photosynthesising | when cats doze on windowsills
    | mad dogs and Englishmen | for a noon showdown | in Gary Cooper's hour | Dog Day Afternoon | Ferris
    Bueller's Day Off | in overexposed light | in undiluted light | in bleaching light | in full lumens | in
    a hundred thousand lux | in maximum brightness | in whitewashed light | in candid daylight | plain as day
    | no need for headlights | with lamps unneeded | with streetlamps off | at day's centre | at day's summit
    | in the thick of day | at the crown of day | in the noontide | during a day trip | on an afternoon
    outing | on an afternoon stroll | at kick-off | during a matinee | during a garden party | when ice
    lollies melt | when pavements sizzle | on a scorcher | in the working day | this afternoon | on Saturday
    afternoon | all afternoon | in peak daylight | when light is strongest | while the sun reigns | in the
    sun's full blaze | at the office canteen queue | during a test match session | with the postman on rounds
    | with shoppers about | when the playground is full | on a field trip | with sunspots through blinds | at
    high summer daytime | with greenhouses hot`,
    `sun-drenched | sunbathed | brightly lit | midday-sun | siesta | bright daytime | sun-above | well-lit |
    twelve-o'clock | sun-flooded | radiant | sunshiny | bright-lit | afternoon-lit | sun-high |
    full-daylight | midday-bright | glaring | dazzling | twelve-noon | summery | brightest | sun-bright |
    meridian | meridional | zenithal | culminating | brunch | sandwich-time | siesta-time | afternoon-nap |
    twelve pm | 12 pm | two pm | 2:30 pm | half-past-twelve | one-o'clock | mid-day | post-meridian |
    shadowless | short-shadowed | shadow-free | vertical-sun | noontide | noontime | peak-sun | peak-daylight
    | fully lit | sun-kissed | sun-splashed | sun-beaten | sun-struck | sun-dazzled | solar | solar-powered |
    beaming | effulgent | refulgent | resplendent | overexposed | high-key | squinty | squinting | sunscreen
    | sunhat | sunbathing | tanning | parasol | poolside | beach-day | daytime-busy | office-hours |
    nine-to-five | business-hours | school-hours | recess | matinee | diurnal | day-bright | light-filled |
    light-drenched | white-lit | broad-day | midsummer-day | canteen | dhuhr | half-one pm`,
  ),
  dusk: lexicon(
    `as darkness falls | in the half-light of evening | when the day is done | in the dusky light | in the
    gloom before night | as evening falls | while the sun is setting | with the sun going under | in the late
    twilight | as day gives way to night | in the fading glow | when the street lights come on | at eight in
    the evening | in the last red of the sun | as the west glows | as the sky darkens | at the day's last hour
    | in the purple hour | when the sun is nearly gone | as the cows come home | in the shade of the evening |
    with a crimson west | as the sun dips | as the sun drops | as the sun slips away | with the sun sinking |
    with the sun low in the west | facing the setting sun | with a beautiful sunset | in a red sunset | under a
    sunset sky | in the sunset glow | in evening light | in the evening glow | in the evening sun | on an autumn
    evening | on a summer evening | on a quiet evening | at 6 pm | at half past eight in the evening | at nine
    in the evening | around dinner time | at suppertime | at vespers | at happy hour | on the way home from
    work | as day ends | as the day dies | when daylight fades | with daylight nearly gone | in the failing
    light | in orange light | in amber light | in violet light | under a violet sky | under a red sky | under a
    purple sky | beneath pink evening clouds | when lanterns are lit | as the first stars appear | between day
    and night | shortly before night | with long shadows | at the onset of night | as the horizon burns red |
    at nightfall | at 7 pm | at 7:30 pm | at 8 pm | at 8:15 pm | at quarter to eight pm | at 1900 hours | at
    1930 hours | at maghrib | at evensong | at iftar | when the fast is broken | when Shabbat begins | at the
    cocktail hour | with an aperitif | over a spritz | at tapas time | at wine o'clock | before the evening
    news | over supper | as dinner cooks | as dinner bells ring | at the children's bath time | at the
    evening rush hour | on the commute home | after clocking off | knocking off for the day | at quitting
    time | as shopkeepers lock up | when the office empties | as the park closes | as the lamplighter comes |
    when streetlamps flicker on | as porch lights glow | as windows light up | as candles are lit | as
    fireflies appear | when swifts scream | when bats emerge | when moths come out | when crickets start |
    when rooks fly home | as starlings murmurate | when hens go in | when sheep are folded | when flowers
    close | as the sun kisses goodbye | as the sun melts away | as the sun bows out | as the sun retires |
    watching the sunset | riding into the sunset | for a sunset cruise | when Hesperus shines | with the
    evening star | as Helios stables his horses | as the west blushes | as the west reddens | in mauve light
    | in lilac light | in magenta light | in mulberry light | in copper light | in bronze light | in honey
    light | in tangerine light | in ruby light | in scarlet light | under a lilac sky | under a tangerine sky
    | under a coral sky | under a flamingo sky | shepherd's delight | in the afterglow | in civil twilight |
    in the Twilight Zone | in magic hour | in l'heure bleue | between dog and wolf | neither day nor night |
    not quite dark yet | nearly dark | getting dark | growing dark | as darkness gathers | as darkness
    approaches | as shadows stretch | as shadows merge | as colours drain | as silhouettes form | as the
    light ebbs | as the light wanes | as daylight drains | as the day wanes | as the day cools | as day
    retires | at the day's finale | in the day's epilogue | on the brink of night | on the threshold of night
    | as night draws near | when tools are downed | when harvesters head home | when fishing boats return |
    in raking light | on a Friday evening | this evening | tomorrow evening | good evening all | all evening
    | at vesper bells | when flags are lowered | Before Sunset | Waterloo Sunset | Sunset Boulevard | with
    mosquitoes out | as tent lamps glow | during the evening stroll | on the passeggiata | in the evening
    hush | gone the sun | with sunset joggers | as the theatre doors open | on a date before dinner | closing
    the chicken coop | kids called in from play | as the ferris wheel lights | watering tomatoes after work |
    with dinner guests arriving | as the toll booth lights | when the playground empties | walking the dog
    after supper`,
    `nearly-night | darkening | evening-red | half-lit evening | dusky | sun-sinking | last-light | vespertine |
    red-evening | late-evening | crepuscular | sunset-coloured | sunset-lit | amber | orange evening |
    evening-gold | setting-sun | violet | twilit | shadowy evening | post-sunset | early-evening | dinner-time
    | suppertime | pre-night | long-shadowed | day-dying | twilighty | nightfall | eveningtide | evenfall |
    sunset-red | sunset-pink | sunset-orange | sinking-sun | sun-dipping | sun-dropping | sun-leaving |
    west-glowing | westering | Hesperian | vesper | afterglow | afterglowing | magic-hour | blue-hour |
    cocktail-hour | happy-hour | aperitif | home-from-work | quitting-time | supper-hour | dinner-hour |
    iftar | maghrib | evensong | seven pm | 8 pm | half-past-seven pm | close-of-day | day-closing |
    day-ending | waning-day | ebbing-day | failing-light | semi-dark | nearly-dark | almost-dark |
    not-quite-dark | getting-dark | growing-dark | darkling | shadow-stretching | shadow-gathering |
    silhouetted | lamps-on | firefly-lit | bat-flitting | mauve-skied | lilac-skied | plum-skied |
    magenta-skied | coral-skied | tangerine-skied | copper-lit | bronze-lit | honey-lit | scarlet-skied |
    ruby-skied | russet-skied | indigo-tinged | Friday-evening`,
  ),
  night: lexicon(
    `under the moon | under a full moon | with the moon up | beneath a pale moon | in the wee hours | in the
    hours after midnight | at four in the night | in the late hours of the night | by torch light | with the
    town asleep | when the bats fly | at 2 am | in the ink of night | under the night sky | when wolves howl |
    in the quiet hours when all sleep | at nighttime | by night | tonight | all night long | overnight | on a
    black night | on a starry night | on a quiet night | in the night | deep in the night
    | late in the night | far into the night | in the dark hours | in the dark of night | in deep darkness | in
    complete darkness | under a starry sky | under countless stars | under the constellations | under the Big
    Dipper | with a shooting star | with stars twinkling | with the stars out | beneath a black sky | with a
    crescent moon | when the moon is high | at 11 pm | at eleven at night | at ten at night | at half past two
    at night | at twelve at night | after midnight | around midnight | past bedtime | when everybody is in bed
    | while the city sleeps | in the beam of the headlights | with high beams on | with only headlights to see
    by | in lamplight | by lantern | black as coal | dark as ink | in the blackest hour | in the hour of ghosts
    | when vampires wake | when foxes prowl | when crickets chirp | while owls hoot | on the night shift | on a
    night bus | when it is night | long after dark | when Cinderella must leave | at 1 am | at 00:30 | at
    0200 hours | at 23:30 | at 11:45 pm | at 10:30 pm | at quarter to midnight | at half past eleven pm | at
    isha | at compline | after lights-out | after curfew | after last orders | when pubs have closed | as
    clubbers dance | at a rave | on the last train home | on the sleeper train | on the red-eye flight | on
    the graveyard shift | while night watchmen patrol | when burglars work | when ghosts walk | when
    werewolves change | when Dracula hunts | in Batman's hours | in Gotham's shadows | like film noir | with
    the Sandman about | at slumber time | while everyone slumbers | during REM sleep | when I can't sleep |
    tossing and turning | wide-eyed with insomnia | under the duvet | tucked up in bed | after a bedtime
    story | after the late film | during a sleepover | at a midnight feast | while stargazing | with a
    telescope out | at an observatory | under Orion | under Cassiopeia | under the Pleiades | under Ursa
    Major | under the Southern Cross | under Polaris | beneath the Milky Way | beneath galaxies | beneath
    Jupiter and Saturn | beneath Sirius | with meteors streaking | under drifting satellites | under a
    harvest moon | under a blood moon | under a gibbous moon | under a new moon | under a silver moon | by
    moonbeams | in moonglow | with Selene's chariot | under Nyx's cloak | by torchlight | by flashlight | by
    gaslight | in neon glow | under neon signs | under sodium lamps | under streetlamps | under floodlights |
    with cat's eyes glinting | with dipped headlights | with tail lights glowing | with dashboard dials
    glowing | with infrared goggles | with glow sticks | in a blackout | during a power cut | in Stygian dark
    | in ebony darkness | in sable darkness | in velvet darkness | in utter darkness | black as pitch | black
    as a cat | black as your hat | dark as a dungeon | dark as a tomb | when all cats are grey | with tomcats
    yowling | when hedgehogs roam | when moths circle lamps | as nightjars churr | as nightingales sing | as
    barn owls hunt | as rats scurry | when glow-worms shine | in nocturnal hours | in the depths of night |
    under cover of darkness | to a lullaby | to a nocturne | silent night | strangers in the night | Van
    Gogh's Starry Night | Hopper's Nighthawks diner | last night | tomorrow night | on Friday night | on
    Saturday night | on Halloween | on Walpurgis night | on prom night | goodnight everybody | sleep tight |
    nighty night | sweet dreams | at an unearthly hour | with the lights off | with a million stars | with
    pinprick stars | as constellations wheel | truckers asleep in their cabs | with the baby monitor on |
    while casinos buzz | outside a nightclub | kebab after the disco | with lighthouse-keepers awake |
    everyone snoring | for a seance | grave robbers at work`,
    `moon-bright | full-moon | wee-hours | late-hours | night-time | inky | dark and starry | lamp-lit night |
    jet-black | insomniac | midnight-dark | midnight-black | after-dark | star-spangled |
    star-studded | star-bright | headlight-lit | dark-skied | black-skied | coal-black | ink-black |
    owl-haunted | bedtime | overnight | all-night | darkest | shadow-black | pitch-dark | benighted |
    midnight-blue | midnight-hour | moony | lunar | moon-silvered | moon-blanched | moon-kissed |
    moon-drenched | new-moon | crescent-mooned | blood-moon | harvest-moon | stellar | astral | sidereal |
    cosmic | galactic | Milky-Way | constellation-filled | Orion-lit | stargazing | star-sprinkled |
    star-pricked | star-strewn | star-dusted | telescope | blacked-out | power-cut | pitchy | tar-black |
    raven-black | sable | ebony | onyx | Stygian | Cimmerian | tenebrous | darksome | velvet-dark | utterly
    dark | torchlit | flashlight-lit | lantern-lit | candlelit | gaslit | neon | neon-lit | floodlit |
    headlamp-lit | high-beam | night-shift | graveyard-shift | sleeper-train | red-eye | curfew | lights-out
    | slumbering | sleepwalking | lullaby | noir | vampiric | werewolf-haunted | witching-hour |
    ghost-walking | Halloween | nightclub | clubbing | one am | 3 am | eleven pm | nighthawk | night-owl |
    hooting | cricket-chirping`,
  ),
}
