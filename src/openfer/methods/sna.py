"""SNA: the two-scale network, which learns only from samples whose semantic neighbour it sees alike.

Fu, Wu, Li, Pan and Luo: Semantic Neighborhood-Aware Deep Facial Expression Recognition.
"""

from openfer.methods.declared.sna import METHOD
from openfer.methods.two_scale import TwoScale


class SNA(TwoScale):
    """The fourth stage of the paper; the three before it are runs of their own, and the mask is the trainer's.

    The mask (:class:`openfer.training.mask_settings.MaskSettings`) may be set for any method that supports sample
    weights; SNA is this network with it. At test time there is no difference to
    :class:`~openfer.methods.two_scale.TwoScale`.
    """

    declared = METHOD
