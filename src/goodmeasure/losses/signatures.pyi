"""What `goodmeasure.losses` holds, for editors and type checkers.

Made by make pages: change the losses, not this file.
"""

from collections.abc import Sequence

from goodmeasure.making.loss import Loss

def gaussian_nll() -> Loss:
    """The surprise of a normal distribution with this mean and scale: minus the logarithm of its density at the target.

    Reach for it when the spread differs from row to row; one outlier can rule it: then laplace_nll, student_t_nll
    or the bounded pulls of gaussian_crps.

    Formula:
        ((y - mean)/scale)**2/2 + log(scale) + 0.9189385332046727
        target: a real number (-inf, inf)
        activation: linear, exp
        asks for: the whole distribution of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.gaussian_nll()
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        2.575
    """

gaussian_likelihood = gaussian_nll
normal_nll = gaussian_nll

def laplace_nll() -> Loss:
    """The surprise of a Laplace distribution: the size of the miss in scales, and the logarithm of twice the scale.

    Reach for it when the spread is to be learned along with a median that outliers cannot move.

    Formula:
        abs((y - location)/scale) + log(scale) + 0.6931471805599453
        target: a real number (-inf, inf)
        activation: linear, exp
        asks for: the whole distribution of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.laplace_nll()
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        2.639
    """

def student_t_nll(*, df: float = 4.0) -> Loss:
    """The surprise of Student's distribution with a learned location and scale.

    Reach for it when the spread is to be learned and some rows are wild; with df above 30 take gaussian_nll.

    Formula:
        (df + 1)/2*log1psq((y - location)/scale/sqrt(df)) + log(scale) + (log(df*3.141592653589793)/2 -
            log_gamma_step(df/2))
        target: a real number (-inf, inf)
        activation: linear, exp
        asks for: the whole distribution of what may happen

    Args:
        df: a positive number (0, inf); 4.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.student_t_nll(df=4.0)
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        2.662
    """

def lognormal_nll() -> Loss:
    """The surprise of a distribution whose logarithm is normal with this mean and scale.

    Reach for it for positive amounts when medians, ranges or ratios are wanted as well as means.

    Formula:
        ((log(y) - mean)/scale)**2/2 + log(scale) + log(y) + 0.9189385332046727
        target: a positive number (0, inf)
        activation: linear, exp
        asks for: the whole distribution of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.lognormal_nll()
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        3.125
    """

def gaussian_crps() -> Loss:
    """How far a normal distribution is from a step at the target, in the target's own unit; absolute error if certain.

    Reach for it in place of gaussian_nll when outliers or overconfident rows must not rule the fit.

    Formula:
        crps_normal(y - mean, scale)
        target: a real number (-inf, inf)
        activation: linear, exp
        asks for: the whole distribution of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Gneiting and Raftery 2007.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.gaussian_crps()
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        1.578
    """

crps = gaussian_crps

def logistic_crps() -> Loss:
    """How far a logistic distribution is from a step at the target, in the target's own unit.

    Reach for it as gaussian_crps with somewhat heavier tails.

    Formula:
        crps_logistic(y - location, scale)
        target: a real number (-inf, inf)
        activation: linear, exp
        asks for: the whole distribution of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.logistic_crps()
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        2.072
    """

def laplace_crps() -> Loss:
    """How far a Laplace distribution is from a step at the target, in the target's own unit.

    Reach for it as gaussian_crps where most rows are close and some are far.

    Formula:
        crps_laplace(y - location, scale)
        target: a real number (-inf, inf)
        activation: linear, exp
        asks for: the whole distribution of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.laplace_crps()
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        1.669
    """

def interval(*, level: float = 0.9) -> Loss:
    """The width of an interval, plus what the target lies outside of it times two over one minus level.

    Reach for it to learn a prediction interval of this coverage; both ends are quantiles. Raw outputs may cross,
    predictions do not: of two ends the lower is the low one.

    Formula:
        high - low + 2/(1 - level)*(maximum(0, low - y) + maximum(0, y - high))
        target: a real number (-inf, inf)
        activation: linear, linear
        asks for: the ends of the central 90 % interval

    Args:
        level: a level (0, 1); 0.9 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Winkler 1972.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.interval(level=0.9)
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        26.0
    """

winkler = interval

def quantiles(*, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> Loss:
    """The mean of the pinball losses of several quantiles, one a level.

    Reach for it to say a whole spread without supposing its form; predictions rise.

    Formula:
        (where(at1 < y, level1*(y - at1), (1 - level1)*(at1 - y)) + where(at2 < y, level2*(y - at2), (1 - level2)*(at2 -
            y)) + where(at3 < y, level3*(y - at3), (1 - level3)*(at3 - y)))/3
        target: a real number (-inf, inf)
        activation: linear, linear, linear
        asks for: the quantiles 0.1, 0.5, 0.9, in rising order

    Args:
        levels: 2 to 24 rising levels (0, 1); (0.1, 0.5, 0.9) unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Koenker and Bassett 1978.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.quantiles(levels=(0.1, 0.5, 0.9))
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5, 2.5], [0.5, 1.5, 2.5]]), 3)
        0.567
    """

multi_quantile = quantiles
multiquantile = quantiles
# weighted_interval_score: it is twice this
weighted_interval_score = quantiles
# wis: it is twice this
wis = quantiles

def exponential(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """The exponential of the shortfall: what boosting by reweighting descends.

    Reach for it to reproduce AdaBoost; one wrong label far from the boundary can rule it: binary_cross_entropy.

    Formula:
        exp(-margin)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.exponential()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.487
    """

adaboost = exponential

def hinge(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """Nothing where the score is right by at least 1, and the shortfall otherwise.

    Reach for it when only the yes or no is wanted and most rows should have no say; it implies no probability.

    Formula:
        maximum(0, 1 - margin)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: only the most likely answer, no probability

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.hinge()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.25
    """

binary_hinge = hinge
l1_hinge = hinge
svm = hinge

def squared_hinge(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """The squared shortfall from a lead of 1.

    Reach for it as a hinge whose scores imply probabilities, (1 + score) / 2 between -1 and 1.

    Formula:
        maximum(0, 1 - margin)**2
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.squared_hinge()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.125
    """

l2_hinge = squared_hinge

def smooth_hinge(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """The hinge with its corner rounded off: half the squared shortfall between 0 and 1, a straight line below.

    Reach for it as a hinge for optimisers that use curvature.

    Formula:
        where(margin <= 0, 0.5 - margin, maximum(0, 1 - margin)**2/2)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Rennie and Srebro 2005.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.smooth_hinge()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.062
    """

rennie_hinge = smooth_hinge

def modified_huber(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """The squared shortfall near the boundary, a straight line where it is badly wrong.

    Reach for it as a squared_hinge that outliers cannot drag.

    Formula:
        where(margin <= -1, -4*margin, maximum(0, 1 - margin)**2)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Zhang 2004.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.modified_huber()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.125
    """

def perceptron(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """The score's size where it is wrong, nothing where it is right.

    Reach for it to reproduce the perceptron; a score of zero everywhere is already best, so take hinge for anything
    else.

    Formula:
        maximum(0, -margin)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: nothing in particular

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.perceptron()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.0
    """

def zero_one(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """One for a wrong answer (or a tie), nothing for a right one: what accuracy counts, and no signal at all.

    Reach for it to report, never to train: its signal is zero everywhere. Train with binary_cross_entropy or hinge.

    Formula:
        where(0 < margin, 0, 1)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: only the most likely answer, no probability

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.zero_one()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.0
    """

# accuracy: it is one minus the mean
accuracy = zero_one
error_rate = zero_one
misclassification = zero_one

def multiclass_hinge(*, class_weight: Sequence[float] = ()) -> Loss:
    """The shortfall of the true class's score from a lead of 1 over the best other class.

    Reach for it when only the class is wanted and one class mostly has more than half of the chance; where none
    has, its answer may be wrong: cross_entropy.

    Formula:
        maximum(0, 1 - margin)
        target: one of several classes
        activation: softmax
        asks for: only the most likely answer, no probability

    Args:
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Crammer and Singer 2001.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.multiclass_hinge()
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        0.25
    """

# categorical_hinge: it takes zero for the best other score where that is negative
categorical_hinge = multiclass_hinge
crammer_singer = multiclass_hinge

def proportional_odds(*, grades: int = 3) -> Loss:
    """Surprise at the grade that happened: minus the logarithm of the probability that was given to it.

    Reach for it first for grades, stars and answers from low to high; far misses and near ones cost alike if they
    were equally unlikely, which ranked_probability does otherwise.

    Formula:
        where(y <= 0, -log(1 - at_least1), where(y <= 1, -log(at_least1 - at_least2), -log(at_least2)))
        target: a grade [0, 2]
        activation: sigmoid, falling
        asks for: the probability of each grade or more

    Args:
        grades: a number of grades [3, 16]; 3 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        McCullagh 1980.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.proportional_odds(grades=3)
        >>> round(loss(y=[1.0, 0.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        0.956
    """

cumulative_logit = proportional_odds
ordered_logit = proportional_odds
ordinal = proportional_odds
ordinal_logistic = proportional_odds

def ranked_probability(*, grades: int = 3) -> Loss:
    """The squared distances between what happened and the probabilities of each grade or more, added up.

    Reach for it when a miss by three grades is worse than one by one, or when some grades are wrong; far on the
    wrong side its signal vanishes, so begin with proportional_odds.

    Formula:
        where(y <= 0, at_least1**2, (1 - at_least1)**2) + where(y <= 1, at_least2**2, (1 - at_least2)**2)
        target: a grade [0, 2]
        activation: sigmoid, falling
        asks for: the probability of each grade or more

    Args:
        grades: a number of grades [3, 16]; 3 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Epstein 1969.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.ranked_probability(grades=3)
        >>> round(loss(y=[1.0, 0.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        0.318
    """

ordinal_crps = ranked_probability
rps = ranked_probability

def cross_entropy(*, smoothing: float = 0.0, class_weight: Sequence[float] = ()) -> Loss:
    """Surprise at what happened: minus the logarithm of the probability that was given to it.

    Reach for it first whenever probabilities are wanted; one certain and wrong answer costs without limit, which
    brier and generalized_cross_entropy do not.

    Formula:
        -(1 - smoothing)*log(p) - smoothing*mean_log_p
        target: one of several classes
        activation: softmax
        asks for: the probability of each outcome

    Args:
        smoothing: a fraction [0, 1); 0.0 unless given.
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.cross_entropy(smoothing=0.0)
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        0.362
    """

categorical_crossentropy = cross_entropy
ce = cross_entropy
# kl_div: it is cross-entropy minus the entropy of the targets
kl_div = cross_entropy
# kl_divergence: it is cross-entropy minus the entropy of the targets
kl_divergence = cross_entropy
# label_smoothing: it is cross_entropy(smoothing=0.1)
label_smoothing = cross_entropy
nll = cross_entropy
# perplexity: it is the exponential of its mean
perplexity = cross_entropy
softmax_cross_entropy = cross_entropy
sparse_categorical_crossentropy = cross_entropy

def binary_cross_entropy(*, smoothing: float = 0.0, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """Surprise at what happened: minus the logarithm of the probability that was given to it.

    Reach for it first whenever probabilities are wanted; one certain and wrong answer costs without limit, which
    brier and generalized_cross_entropy do not.

    Formula:
        -(1 - smoothing)*log(p) - smoothing*mean_log_p
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        smoothing: a fraction [0, 1); 0.0 unless given.
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_cross_entropy(smoothing=0.0)
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.394
    """

bce = binary_cross_entropy
log_loss = binary_cross_entropy
logistic = binary_cross_entropy
sigmoid_cross_entropy = binary_cross_entropy

def brier(*, class_weight: Sequence[float] = ()) -> Loss:
    """The squared distance between the probabilities and what happened, summed over all classes.

    Reach for it when probabilities are wanted and some labels are wrong; far on the wrong side its signal vanishes,
    so begin with cross_entropy.

    Formula:
        (1 - p)**2 + rest_p2
        target: one of several classes
        activation: softmax
        asks for: the probability of each outcome

    Args:
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.brier()
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        0.174
    """

quadratic_score = brier

def binary_brier(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """The squared distance between the probability and what happened; half of the two-class Brier score.

    Reach for it when probabilities are wanted and some labels are wrong; far on the wrong side its signal vanishes,
    so begin with binary_cross_entropy.

    Formula:
        (1 - p)**2
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_brier()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.107
    """

brier_score = binary_brier

def focal(*, gamma: float = 2.0, class_weight: Sequence[float] = ()) -> Loss:
    """Surprise, discounted where the prediction is already good.

    Reach for it when easy examples are so many that they drown the hard ones; read probabilities through predict,
    since the sigmoid of its raw outputs shrinks them toward one half.

    Formula:
        -(1 - p)**gamma*log(p)
        target: one of several classes
        activation: softmax
        asks for: the probability of each outcome

    Args:
        gamma: a non-negative number [0, inf); 2.0 unless given.
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Lin et al. 2017.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.focal(gamma=2.0)
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        0.052
    """

def binary_focal(*, gamma: float = 2.0, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """Surprise, discounted where the prediction is already good.

    Reach for it when easy examples are so many that they drown the hard ones; read probabilities through predict,
    since the sigmoid of its raw outputs shrinks them toward one half.

    Formula:
        -(1 - p)**gamma*log(p)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        gamma: a non-negative number [0, inf); 2.0 unless given.
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Lin et al. 2017.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_focal(gamma=2.0)
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.045
    """

sigmoid_focal = binary_focal

def poly(*, epsilon: float = 2.0, class_weight: Sequence[float] = ()) -> Loss:
    """Surprise plus epsilon times the probability that went elsewhere.

    Reach for it to pull harder (epsilon above 0) or softer on what is not yet certain.

    Formula:
        -log(p) + epsilon*(1 - p)
        target: one of several classes
        activation: softmax
        asks for: the probability of each outcome

    Args:
        epsilon: a number above -1 (-1, inf); 2.0 unless given.
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Leng et al. 2022.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.poly(epsilon=2.0)
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        0.945
    """

poly1 = poly

def binary_poly(*, epsilon: float = 2.0, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """Surprise plus epsilon times the probability that went elsewhere.

    Reach for it to pull harder (epsilon above 0) or softer on what is not yet certain.

    Formula:
        -log(p) + epsilon*(1 - p)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        epsilon: a number above -1 (-1, inf); 2.0 unless given.
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Leng et al. 2022.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_poly(epsilon=2.0)
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        1.04
    """

binary_poly1 = binary_poly

def generalized_cross_entropy(*, q: float = 0.7, class_weight: Sequence[float] = ()) -> Loss:
    """Between surprise (q near 0) and one minus the probability (q of 1): never more than 1/q for one example.

    Reach for it when labels are noisy; a badly wrong example pulls little, so learning starts slowly.

    Formula:
        (1 - p**q)/q
        target: one of several classes
        activation: softmax
        asks for: the probability of each outcome

    Args:
        q: a part (0, 1]; 0.7 unless given.
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Zhang and Sabuncu 2018.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.generalized_cross_entropy(q=0.7)
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        0.31
    """

gce = generalized_cross_entropy

def binary_generalized_cross_entropy(*, q: float = 0.7, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """Between surprise (q near 0) and one minus the probability (q of 1): never more than 1/q for one example.

    Reach for it when labels are noisy; a badly wrong example pulls little, so learning starts slowly.

    Formula:
        (1 - p**q)/q
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        q: a part (0, 1]; 0.7 unless given.
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Zhang and Sabuncu 2018.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_generalized_cross_entropy(q=0.7)
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.342
    """

binary_gce = binary_generalized_cross_entropy

def symmetric_cross_entropy(*, alpha: float = 0.1, beta: float = 1.0, class_weight: Sequence[float] = ()) -> Loss:
    """Surprise both ways: alpha times cross-entropy plus beta times its reverse, where the log of 0 counts as -4.

    Reach for it when labels are noisy and generalized_cross_entropy learns too slowly.

    Formula:
        -alpha*log(p) + 4*beta*(1 - p)
        target: one of several classes
        activation: softmax
        asks for: the probability of each outcome

    Args:
        alpha: a positive number (0, inf); 0.1 unless given.
        beta: a non-negative number [0, inf); 1.0 unless given.
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Wang et al. 2019.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.symmetric_cross_entropy(alpha=0.1, beta=1.0)
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        1.2
    """

sce = symmetric_cross_entropy

def binary_symmetric_cross_entropy(
    *, alpha: float = 0.1, beta: float = 1.0, positive_weight: float | Sequence[float] = 1.0
) -> Loss:
    """Surprise both ways: alpha times cross-entropy plus beta times its reverse, where the log of 0 counts as -4.

    Reach for it when labels are noisy and generalized_cross_entropy learns too slowly.

    Formula:
        -alpha*log(p) + 4*beta*(1 - p)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        alpha: a positive number (0, inf); 0.1 unless given.
        beta: a non-negative number [0, inf); 1.0 unless given.
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Wang et al. 2019.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_symmetric_cross_entropy(alpha=0.1, beta=1.0)
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        1.332
    """

def spherical(*, class_weight: Sequence[float] = ()) -> Loss:
    """One minus the probability given to what happened over the length of the whole vector of probabilities.

    Reach for it as a bounded proper score besides brier, to see whether a comparison of models depends on the
    score.

    Formula:
        1 - exp(log_p2/2)
        target: one of several classes
        activation: softmax
        asks for: the probability of each outcome

    Args:
        class_weight: how much each class counts, (K,); all alike unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Roby 1965.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.spherical()
        >>> round(loss(y=[0, 2], z=[[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]), 3)
        0.08
    """

def binary_spherical(*, positive_weight: float | Sequence[float] = 1.0) -> Loss:
    """One minus the probability given to what happened over the length of the whole vector of probabilities.

    Reach for it as a bounded proper score besides brier, to see whether a comparison of models depends on the
    score.

    Formula:
        1 - exp(log_p2/2)
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        positive_weight: how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Roby 1965.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_spherical()
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.103
    """

def asymmetric(*, gamma_positive: float = 0.0, gamma_negative: float = 4.0, margin: float = 0.05) -> Loss:
    """For many labels at once: focal with its own discount for present and absent labels, and easy absences left out.

    Reach for it for multi-label rows where nearly every label is absent. Below its margin every raw output stands
    for zero, and none for more than .96 as it is given; with gamma_negative near zero it implies no probability:
    rank by it or recalibrate.

    Formula:
        either(y, -(1 - mu)**gamma_positive*log(mu), where(mu <= margin, 0, -(mu - margin)**gamma_negative*where(mu <=
            0.5, log1p(-(mu - margin)), log(1 - mu + margin))))
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        gamma_positive: a non-negative number [0, inf); 0.0 unless given.
        gamma_negative: a non-negative number [0, inf); 4.0 unless given.
        margin: a fraction [0, 1); 0.05 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Ridnik et al. 2021.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.asymmetric(gamma_positive=0.0, gamma_negative=4.0, margin=0.05)
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.237
    """

asl = asymmetric

def tailored(*, threshold: float = 0.2, spread: float = 1.0, outside: float = 0.1) -> Loss:
    """Surprise that counts most where costs decide: a mixture of cost-weighted errors over a range of thresholds.

    Reach for it when costs are known and the model is too simple to be right everywhere (gm.tailored makes it of
    them); where it may be right, binary_cross_entropy learns more from each row. The range is threshold, give or
    take spread times its distance to 0 or 1; beyond it thresholds count outside times as much.

    Formula:
        outside*either(y, -log(mu), -log1p(-mu)) + (1 - outside)*((spread*minimum(threshold, 1 -
            threshold))**2/(threshold*(1 - threshold))*either(y, parabola_above(where(threshold <= 0.5, mu - threshold,
            1 - threshold - (1 - mu))/(spread*minimum(threshold, 1 - threshold)), (1 -
            threshold)/(spread*minimum(threshold, 1 - threshold)) - 1), parabola_above(-(where(threshold <= 0.5, mu -
            threshold, 1 - threshold - (1 - mu))/(spread*minimum(threshold, 1 - threshold))),
            threshold/(spread*minimum(threshold, 1 - threshold)) - 1)))
        target: yes or no [0, 1]
        activation: sigmoid
        asks for: the probability of each outcome

    Args:
        threshold: a level (0, 1); 0.2 unless given.
        spread: a part (0, 1]; 1.0 unless given.
        outside: a part (0, 1]; 0.1 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Buja, Stuetzle and Shen 2005.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.tailored(threshold=0.2, spread=1.0, outside=0.1)
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.13
    """

def poisson() -> Loss:
    """For counts and rates whose variance is their mean: the Poisson likelihood without the part that y alone decides.

    Reach for it for counts, rates and any amount that may be zero; where the spread exceeds it take
    negative_binomial.

    Formula:
        mu - xlogy(y, mu)
        target: a non-negative number [0, inf)
        activation: exp
        asks for: the mean of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.poisson()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.758
    """

count = poisson
# poisson_deviance: twice it, and what the targets alone decide
poisson_deviance = poisson
poisson_nll = poisson

def gamma() -> Loss:
    """For positive amounts whose spread grows with their mean: the gamma likelihood without the part y alone decides.

    Reach for it for prices, durations and claim sizes, where being off by 10 % matters alike at every size.

    Formula:
        y/mu + log(mu)
        target: a positive number (0, inf)
        activation: exp
        asks for: the mean of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.gamma()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        5.49
    """

# gamma_deviance: twice it, and what the targets alone decide
gamma_deviance = gamma

def exponential_nll() -> Loss:
    """The surprise of the exponential distribution of this mean: the gamma loss, where zero may happen.

    Reach for it for waiting times; where times pile up around a value take gamma or lognormal_nll.

    Formula:
        times(y, 1/mu) + log(mu)
        target: a non-negative number [0, inf)
        activation: exp
        asks for: the mean of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.exponential_nll()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        5.49
    """

exponential_likelihood = exponential_nll

def tweedie(*, power: float = 1.5) -> Loss:
    """For amounts whose variance follows a power of their mean: 1 is Poisson, 2 gamma, between them zeros and amounts.

    Reach for it for totals that are often exactly zero, such as claims or rain, with a power between 1 and 2; the
    mean is what it asks for at every power.

    Formula:
        where(power < 1, mu**(1 - power)*(mu/(2 - power) - y/(1 - power)), where(2 < power, mu**(2 - power)*(1/(2 -
            power) - y/mu/(1 - power)), where(abs(2 - power) <= 0, log(mu), mu**(2 - power)/(2 - power)) - times(y,
            where(abs(1 - power) <= 0, log(mu), mu**(1 - power)/(1 - power)))))
        target: a non-negative number [0, inf)
        activation: exp
        asks for: the mean of what may happen

    Args:
        power: a power [0, inf) without (0, 1); 1.5 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Jorgensen 1987.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.tweedie(power=1.5)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        9.264
    """

# tweedie_deviance: twice it, and what the targets alone decide
tweedie_deviance = tweedie

def inverse_gaussian() -> Loss:
    """For positive amounts with a very long tail, whose variance follows the cube of their mean.

    Reach for it for first-passage times and severe right skew; it is not convex, so start from the gamma answer.

    Formula:
        1/mu*(y*(1/mu)/2 - 1)
        target: a positive number (0, inf)
        activation: exp
        asks for: the mean of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.inverse_gaussian()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        5.819
    """

wald = inverse_gaussian

def negative_binomial(*, dispersion: float = 1.0) -> Loss:
    """For counts that spread more than Poisson: their variance is the mean plus dispersion times its square.

    Reach for it when counts cluster; a wrong dispersion costs efficiency and leaves the mean right.

    Formula:
        times(y, log1p(1/(dispersion*mu))) + log1p(dispersion*mu)/dispersion
        target: a non-negative number [0, inf)
        activation: exp
        asks for: the mean of what may happen

    Args:
        dispersion: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Cameron and Trivedi 1986.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.negative_binomial(dispersion=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        3.507
    """

negbin = negative_binomial

def squared_log_error() -> Loss:
    """The squared difference of the logarithms of one plus the amount: ratios count, and zero is allowed.

    Reach for it when being off by a factor is what matters; it answers below the mean, so totals come out short:
    for those take poisson or gamma.

    Formula:
        (log1p(mu) - log1p(y))**2
        target: a non-negative number [0, inf)
        activation: exp
        asks for: the mean on the scale of log(1 + y), which lies below the mean

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.squared_log_error()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        0.879
    """

mean_squared_log_error = squared_log_error
mean_squared_logarithmic_error = squared_log_error
msle = squared_log_error
# rmsle: the root is taken of the mean
rmsle = squared_log_error

def absolute_percentage_error() -> Loss:
    """The size of the miss as a share of the target.

    Reach for it when a report is judged by it; it answers well below the median, and small targets decide: gamma is
    the sounder choice for relative accuracy.

    Formula:
        abs(mu - y)/y
        target: a positive number (0, inf)
        activation: exp
        asks for: a median where small targets count more, which lies below the median

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Gneiting 2011.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.absolute_percentage_error()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        0.778
    """

mape = absolute_percentage_error
mean_absolute_percentage_error = absolute_percentage_error
# smape: the miss is divided by the mean of target and prediction, so that answering too much costs less
smape = absolute_percentage_error

def squared_error() -> Loss:
    """The squared miss: an error of 10 costs a hundred times one of 1.

    Reach for it when the mean is wanted and large misses are real and matter; with outliers take huber or
    absolute_error.

    Formula:
        (y - mu)**2
        target: a real number (-inf, inf)
        activation: linear
        asks for: the mean of what may happen

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.squared_error()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        12.625
    """

l2 = squared_error
mean_squared_error = squared_error
mse = squared_error
quadratic = squared_error
# r2: one minus its mean over the variance of the targets
r2 = squared_error
# rmse: the root is taken of the mean
rmse = squared_error
# root_mean_squared_error: the root is taken of the mean
root_mean_squared_error = squared_error

def absolute_error() -> Loss:
    """The size of the miss: an error of 10 costs ten times one of 1.

    Reach for it when a typical value is wanted that outliers cannot move; for totals and budgets take
    squared_error.

    Formula:
        abs(mu - y)
        target: a real number (-inf, inf)
        activation: linear
        asks for: the median: as often too low as too high

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.absolute_error()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.75
    """

l1 = absolute_error
mae = absolute_error
# mase: its mean over that of a naive forecast
mase = absolute_error
mean_absolute_error = absolute_error
# median_absolute_error: its median in place of its mean
median_absolute_error = absolute_error
# wape: its sum over the sum of the targets
wape = absolute_error

def huber(*, delta: float = 1.0) -> Loss:
    """Squared near (with a half), absolute beyond delta: a mean that outliers cannot drag.

    Reach for it when most misses are ordinary and a few are wild; set delta to the size of an ordinary miss. Where
    the spread is skewed the answer is neither mean nor median: take one of those losses.

    Formula:
        where(abs(mu - y) <= delta, (mu - y)**2/2, delta*(abs(mu - y) - delta/2))
        target: a real number (-inf, inf)
        activation: linear
        asks for: a centre between the mean and the median that far targets move little

    Args:
        delta: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Huber 1964.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.huber(delta=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.312
    """

# smooth_l1: it is Huber divided by beta, with beta as delta
smooth_l1 = huber

def pseudo_huber(*, delta: float = 1.0) -> Loss:
    """Half the squared miss near zero, delta times its size far away, smooth throughout.

    Reach for it in place of huber where the optimiser uses curvature.

    Formula:
        delta**2*hypot1m1((mu - y)/delta)
        target: a real number (-inf, inf)
        activation: linear
        asks for: a centre between the mean and the median that far targets move little

    Args:
        delta: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Charbonnier et al. 1994.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.pseudo_huber(delta=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.109
    """

charbonnier = pseudo_huber

def log_cosh() -> Loss:
    """The logarithm of the hyperbolic cosine of the miss: half its square near zero, its size far away.

    Reach for it as a huber without a corner and without a setting; rescale the target if misses are far from size
    one.

    Formula:
        log_cosh(mu - y)
        target: a real number (-inf, inf)
        activation: linear
        asks for: a centre between the mean and the median that far targets move little

    Returns:
        The loss.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.log_cosh()
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.214
    """

logcosh = log_cosh

def fair(*, scale: float = 1.0) -> Loss:
    """Half the squared miss near zero, then ever closer to its size.

    Reach for it where the pull of a miss should level off slowly; huber levels off at once.

    Formula:
        scale**2*abs_less_log1p((mu - y)/scale)
        target: a real number (-inf, inf)
        activation: linear
        asks for: a centre between the mean and the median that far targets move little

    Args:
        scale: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Fair 1974.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.fair(scale=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        1.651
    """

def pinball(*, level: float = 0.5) -> Loss:
    """The miss, where falling short costs level and exceeding costs one minus level for each unit.

    Reach for it when being short and being over cost differently, or for the ends of a prediction interval; for
    both ends at once take interval.

    Formula:
        where(mu < y, level*(y - mu), (1 - level)*(mu - y))
        target: a real number (-inf, inf)
        activation: linear
        asks for: the 0.5 quantile: the target lies below it 50 % of the time

    Args:
        level: a level (0, 1); 0.5 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Koenker and Bassett 1978.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.pinball(level=0.5)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        1.375
    """

check = pinball
quantile = pinball
tilted = pinball

def smooth_pinball(*, level: float = 0.5, delta: float = 1.0) -> Loss:
    """The pinball loss with its corner rounded off within delta of the target.

    Reach for it where an optimiser needs curvature; the answer is a little off the quantile, less so for a small
    delta.

    Formula:
        where(mu < y, level, 1 - level)*where(abs(mu - y) <= delta, (mu - y)**2/(2*delta), abs(mu - y) - delta/2)
        target: a real number (-inf, inf)
        activation: linear
        asks for: nearly the 0.5 quantile, rounded off within 1

    Args:
        level: a level (0, 1); 0.5 unless given.
        delta: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.smooth_pinball(level=0.5, delta=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        1.156
    """

quantile_huber = smooth_pinball

def expectile(*, level: float = 0.5) -> Loss:
    """The squared miss, weighted level where it falls short and one minus level where it exceeds.

    Reach for it when being short and being over cost differently and large misses matter more; level one half is
    the mean.

    Formula:
        where(mu < y, level, 1 - level)*(mu - y)**2
        target: a real number (-inf, inf)
        activation: linear
        asks for: the 0.5 expectile: a mean where falling short counts 0.5 and exceeding 0.5

    Args:
        level: a level (0, 1); 0.5 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Newey and Powell 1987.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.expectile(level=0.5)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        6.312
    """

asymmetric_least_squares = expectile

def epsilon_insensitive(*, epsilon: float = 0.1) -> Loss:
    """Nothing within epsilon of the target, and beyond it the rest of the miss.

    Reach for it where misses below a known tolerance do not matter; otherwise absolute_error.

    Formula:
        maximum(0, abs(mu - y) - epsilon)
        target: a real number (-inf, inf)
        activation: linear
        asks for: a middle that is right for as many as possible within a tolerance

    Args:
        epsilon: a non-negative number [0, inf); 0.1 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Vapnik 1995.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.epsilon_insensitive(epsilon=0.1)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.65
    """

svr = epsilon_insensitive

def cauchy(*, scale: float = 1.0) -> Loss:
    """Half the squared miss near zero, growing like its logarithm far away: the pull of an outlier fades.

    Reach for it when gross errors should stop mattering; start from the huber answer, since far starts pull little.

    Formula:
        scale**2/2*log1psq((mu - y)/scale)
        target: a real number (-inf, inf)
        activation: linear
        asks for: where the bulk of the targets lies; far targets stop counting

    Args:
        scale: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Zhang 1997, Parameter estimation techniques.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.cauchy(scale=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        0.87
    """

lorentzian = cauchy

def geman_mcclure(*, scale: float = 1.0) -> Loss:
    """Half the squared miss near zero, never more than half the squared scale: far outliers are ignored.

    Reach for it when many rows are plainly wrong; it has several minima, so start near.

    Formula:
        scale**2/2*square_share((mu - y)/scale)
        target: a real number (-inf, inf)
        activation: linear
        asks for: where the bulk of the targets lies; far targets stop counting

    Args:
        scale: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Geman and McClure 1987.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.geman_mcclure(scale=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        0.29
    """

def welsch(*, scale: float = 1.0) -> Loss:
    """Half the squared miss near zero, flat beyond a few scales: outliers have no pull at all.

    Reach for it as geman_mcclure with a faster cut; a start far from the data gets no signal.

    Formula:
        scale**2/2*(1 - exp(-((mu - y)/scale)**2))
        target: a real number (-inf, inf)
        activation: linear
        asks for: where the bulk of the targets lies; far targets stop counting

    Args:
        scale: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Dennis and Welsch 1978.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.welsch(scale=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        0.305
    """

leclerc = welsch

def tukey_biweight(*, c: float = 4.685) -> Loss:
    """Half the squared miss near zero, exactly constant beyond c: those rows are left out.

    Reach for it to finish a robust fit that huber began; c of 4.685 spreads keeps 95 % of the efficiency of the
    mean on normal misses.

    Formula:
        c**2/6*biweight((mu - y)/c)
        target: a real number (-inf, inf)
        activation: linear
        asks for: where the bulk of the targets lies; far targets stop counting

    Args:
        c: a positive number (0, inf); 4.685 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Beaton and Tukey 1974.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.tukey_biweight(c=4.685)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        1.891
    """

bisquare = tukey_biweight
biweight = tukey_biweight

def barron(*, alpha: float = 1.0, scale: float = 1.0) -> Loss:
    """One family of robust losses: alpha 2 is half the square, 1 pseudo-Huber, 0 Cauchy, -2 Geman-McClure.

    Reach for it when how far outliers should count is itself to be tuned; convex from alpha 1 up.

    Formula:
        where(abs(alpha) <= 0, log1psq((mu - y)/scale/sqrt(2)), where(abs(alpha - 2) <= 0, ((mu - y)/scale)**2/2,
            abs(alpha - 2)/alpha*pow1psqm1((mu - y)/scale/sqrt(abs(alpha - 2)), alpha/2)))
        target: a real number (-inf, inf)
        activation: linear
        asks for: a centre between the mean and the median that far targets move little

    Args:
        alpha: a real number (-inf, inf); 1.0 unless given.
        scale: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Barron 2019.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.barron(alpha=1.0, scale=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.109
    """

general_robust = barron

def student_t(*, df: float = 4.0, scale: float = 1.0) -> Loss:
    """The surprise of Student's distribution around the prediction: the fewer degrees of freedom, the less outliers pull.

    Reach for it when misses are heavy-tailed and their scale is known; to learn the scale too take student_t_nll.

    Formula:
        (df + 1)/2*log1psq((mu - y)/(scale*sqrt(df)))
        target: a real number (-inf, inf)
        activation: linear
        asks for: where the bulk of the targets lies; far targets stop counting

    Args:
        df: a positive number (0, inf); 4.0 unless given.
        scale: a positive number (0, inf); 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.student_t(df=4.0, scale=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.552
    """

def linex(*, k: float = 1.0) -> Loss:
    """Exponential on one side and linear on the other: for positive k, exceeding by much is a catastrophe.

    Reach for it when overrunning (k above 0) or falling short (k below 0) gets worse faster than in proportion; for
    a fixed price a unit on each side take pinball.

    Formula:
        expm1mx(k*(mu - y))
        target: a real number (-inf, inf)
        activation: linear
        asks for: a mean on an exponential scale, pushed away from the costly side

    Args:
        k: a number other than zero (-inf, inf) without 0; 1.0 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Varian 1975, Zellner 1986.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.linex(k=1.0)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        2.057
    """

def circular(*, period: float = 6.283185307179586) -> Loss:
    """One minus the cosine of the difference of two angles: a full turn costs nothing.

    Reach for it for directions, hours, days of the year (period 360, 24, 365; radians unless said), and not on a
    line.

    Formula:
        versin(6.283185307179586/period*(mu - y))
        target: a real number (-inf, inf)
        activation: linear
        asks for: the mean direction of angles

    Args:
        period: a positive number (0, inf); 6.283185307179586 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.circular(period=6.283185307179586)
        >>> round(loss(y=[1.0, 4.0], z=[0.5, -1.0]), 3)
        0.419
    """

angular = circular
periodic = circular
von_mises = circular

def arrow_error(*, period: float = 6.283185307179586) -> Loss:
    """The squared distance between an arrow and the one of length one that points where the target does.

    Reach for it first for directions, hours and months: what it fits is convex, and its arrow points in the mean
    direction, the longer the surer.

    Formula:
        (cos(6.283185307179586/period*y) - along)**2 + (sin(6.283185307179586/period*y) - across)**2
        target: a real number (-inf, inf)
        activation: linear, linear
        asks for: the mean direction of angles

    Args:
        period: a positive number (0, inf); 6.283185307179586 unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Mardia and Jupp 2000.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.arrow_error(period=6.283185307179586)
        >>> round(loss(y=[1.0, 4.0], z=[[0.5, 1.5], [0.5, 1.5]]), 3)
        3.43
    """

def fractional_logit(*, bounds: Sequence[float] = (0.0, 1.0)) -> Loss:
    """Surprise at how far an amount is on the way from one bound to the other, as if that share of it had happened.

    Reach for it for percentages, marks and shares of a known most, the bounds included.

    Formula:
        -xlogy(y, mu) - times(1 - y, log1p(-mu))
        target: a bounded amount [0, 1]
        activation: sigmoid
        asks for: the mean of what may happen

    Args:
        bounds: the least and the most there can be (-inf, inf); (0.0, 1.0) unless given.

    Returns:
        The loss with these hyperparameters.

    Raises:
        GM002: a hyperparameter lies outside its domain, or there is none of that name.

    Source:
        Papke and Wooldridge 1996.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.fractional_logit(bounds=(0.0, 1.0))
        >>> round(loss(y=[1.0, 0.0], z=[0.5, -1.0]), 3)
        0.394
    """
